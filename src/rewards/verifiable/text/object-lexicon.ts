/** Names of things, and how they are written. */
export interface ObjectLexicon {
  /** Every accepted word (singular, lower case; at most two words) -> the object's name. */
  readonly objects: ReadonlyMap<string, string>
  /** Two words read as one -> what they are read as. */
  readonly compounds: ReadonlyMap<string, string>
}

/**
 * A lexicon from object names and their synonyms. Names and synonyms of two words are read as one word; `compounds`
 * adds others, with what they are read as. A word listed under several names belongs to the last.
 *
 * @example objectLexicon({ circle: ['disc', 'round thing'] })
 */
export function objectLexicon(
  names: Readonly<Record<string, readonly string[]>>,
  compounds: Readonly<Record<string, string>> = {},
): ObjectLexicon {
  const objects = new Map<string, string>()
  for (const [name, synonyms] of Object.entries(names))
    for (const word of [name, ...synonyms]) objects.set(word, name)
  const pairs = new Map(Object.entries(compounds))
  for (const word of objects.keys()) if (word.includes(' ') && !pairs.has(word)) pairs.set(word, word)
  return { objects, compounds: pairs }
}

const cocoNames =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush'

const cocoSynonyms: Readonly<Record<string, string>> = {
  person: 'girl,boy,man,woman,kid,child,people,adult,baby,lady,guy,player',
  bicycle: 'bike',
  car: 'automobile,van,sedan,suv,cab,jeep,taxi',
  motorcycle: 'scooter,moped,motor bike,motor cycle',
  airplane: 'plane,air plane,jet,aircraft',
  train: 'locomotive',
  truck: 'pickup',
  boat: 'ship,sailboat,canoe',
  'traffic light': 'stop light,street light,traffic signal',
  dog: 'puppy',
  cat: 'kitten',
  horse: 'pony',
  cow: 'cattle,calf,bull',
  tie: 'bow',
  skis: 'ski',
  'sports ball': 'ball',
  bowl: 'container',
  chair: 'seat,stool',
  couch: 'sofa',
  'potted plant': 'houseplant',
  'dining table': 'table,desk',
  tv: 'television,monitor',
  laptop: 'computer,laptop computer',
  suitcase: 'suit case,luggage',
  'cell phone': 'phone,mobile phone',
  refrigerator: 'fridge',
  oven: 'stove',
}

const youngOrGrown = 'bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,animal,cub'.split(',')

/**
 * The 80 categories of COCO with the core of the synonyms that CHAIR uses (its full table, data/synonyms.txt of the
 * official repository, is larger and not part of this package: build a lexicon from it to compare with papers).
 *
 * @source Rohrbach et al. 2018, arXiv 1809.02156
 */
export const cocoLexicon: ObjectLexicon = objectLexicon(
  Object.fromEntries(cocoNames.split(',').map((name) => [name, cocoSynonyms[name]?.split(',') ?? []])),
  {
    ...Object.fromEntries(
      youngOrGrown.flatMap((animal) => [
        [`baby ${animal}`, animal],
        [`adult ${animal}`, animal],
      ]),
    ),
    'passenger jet': 'jet',
    'passenger train': 'train',
    'bow tie': 'tie',
    'toilet seat': 'toilet',
    'wine glas': 'wine glass',
    'home plate': 'home plate',
    'train track': 'train track',
  },
)
