import { type Html, html, Html as Markup } from './html.ts'

export interface Section {
  /** Anchor in the address, kebab-case. */
  readonly id: string
  readonly title: string
  readonly body: Html
}

/**
 * One self-contained HTML page: no request leaves it (a content security policy says so), styles and scripts
 * inline, light and dark by the reader's setting, readable on a phone and on paper.
 */
export function page({
  title,
  lead,
  sections,
}: {
  readonly title: string
  readonly lead: Html
  readonly sections: readonly Section[]
}): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><h1>${title}</h1>${lead}
<nav aria-label="Sections">${sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav></header>
<main>${sections.map(({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>${body}</section>`)}</main>
<script>${new Markup(script)}</script>
</body>
</html>`.text
}

const style = `
:root{--ink:#1c1d22;--soft:#5b5f6b;--line:#dcdfe6;--paper:#fff;--card:#f7f8fa;--accent:#3557d5;--good:#157f4b;--bad:#c0392b;--mark:#fff1b8}
@media (prefers-color-scheme:dark){:root{--ink:#e8e9ee;--soft:#a0a5b3;--line:#343845;--paper:#16181d;--card:#1e2128;--accent:#8fa6ff;--good:#5fd39a;--bad:#ff8a7a;--mark:#5a4a12}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:26px;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:19px;margin:38px 0 10px;padding-top:8px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:18px 0 6px}
p{margin:6px 0;max-width:80ch}
.soft{color:var(--soft)} .good{color:var(--good)} .bad{color:var(--bad)}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:14px 0 0}
a{color:var(--accent)}
a:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:8px 0}
th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:13px}
td.n,th.n{text-align:right}
.charts{display:flex;flex-wrap:wrap;gap:18px}
figure{margin:0;min-width:0;max-width:100%} figcaption{font-size:13px;color:var(--soft);max-width:44ch}
.chart{background:#fff;border-radius:6px;padding:6px;display:inline-block;max-width:100%;overflow-x:auto}
.tools{display:flex;flex-wrap:wrap;gap:10px;margin:10px 0;align-items:end}
.tools label{font-size:13px;color:var(--soft);display:flex;flex-direction:column;gap:2px}
.tools input,.tools select{font:inherit;padding:5px 8px;border:1px solid var(--line);border-radius:6px;background:var(--card);color:var(--ink)}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,430px),1fr));gap:16px}
article{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px;min-width:0}
code,article h3,article .why,figcaption,.null{overflow-wrap:anywhere}
article td:last-child{overflow-wrap:anywhere} article td:first-child{overflow-wrap:break-word;min-width:5.5em} article td.n{white-space:nowrap}
article h3{margin:0 0 4px;display:flex;gap:8px;justify-content:space-between;flex-wrap:wrap}
article .why{color:var(--soft);font-size:13px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,monospace;margin:4px 0;padding:8px;background:var(--paper);border:1px solid var(--line);border-radius:6px;max-height:260px;overflow:auto}
mark{background:var(--mark);color:inherit;border-radius:3px;padding:0 1px} mark.good{box-shadow:inset 0 -2px var(--good)} mark.bad{box-shadow:inset 0 -2px var(--bad)}
.pictures{display:flex;flex-wrap:wrap;gap:8px;margin:6px 0}
.picture{max-width:100%} .picture svg,.picture img{display:block;max-width:100%;height:auto;border-radius:6px;background:#fff;border:1px solid var(--line)}
.picture figcaption{font-size:12px}
.bar{display:inline-block;width:90px;height:8px;border-radius:4px;background:var(--line);vertical-align:middle;overflow:hidden}
.bar>i{display:block;height:100%;background:var(--accent)}
.null{color:var(--soft);font-style:italic}
.verdict{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:14px;margin:10px 0}
.verdict>div{background:var(--card);border:1px solid var(--line);border-top:3px solid var(--accent);border-radius:10px;padding:10px 16px 12px;min-width:0}
.verdict>div.good{border-top-color:var(--good);color:inherit} .verdict>div.bad{border-top-color:var(--bad);color:inherit}
.verdict h3{margin:2px 0 6px} .verdict ul{margin:0;padding-left:18px;overflow-wrap:anywhere} .verdict li{margin:4px 0}
.missed{border:1px solid var(--bad);border-left-width:5px;border-radius:8px;padding:8px 14px;margin:10px 0}
.missed ul{margin:4px 0;padding-left:18px}
.cases{display:grid;grid-template-columns:1fr;gap:16px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));gap:12px}
.pair>div{min-width:0} .tag{font-size:12px;border:1px solid var(--line);border-radius:10px;padding:0 8px;white-space:nowrap}
.tag.good{border-color:var(--good)} .tag.bad{border-color:var(--bad)}
td.wrap{min-width:13em;max-width:46em} .scroll td.n,.scroll td:first-child{white-space:nowrap} .scroll th,.scroll td>b{white-space:nowrap}
details>summary{cursor:pointer;color:var(--soft);font-size:13px}
[hidden]{display:none!important}
@media print{nav,.tools{display:none} pre{max-height:none}}
`

/** Filter, search and order of the sample cards; the page reads in full without it. */
const script = `
(()=>{const list=document.querySelector('.samples');if(!list)return
const cards=[...list.children],form=document.querySelector('.tools'),count=document.querySelector('.count')
const apply=()=>{const q=form.q.value.trim().toLowerCase(),kind=form.kind?form.kind.value:'',order=form.order.value
let shown=0;for(const c of cards){const ok=(!q||c.textContent.toLowerCase().includes(q))&&(!kind||c.dataset.kind===kind);c.hidden=!ok;if(ok)shown++}
const [key,sign]=order.split(':');const value=c=>{const v=c.dataset[key];return v===undefined||v===''?null:Number(v)}
const sorted=key==='rank'?[...cards].sort((a,b)=>a.dataset.rank-b.dataset.rank):[...cards].sort((a,b)=>{const x=value(a),y=value(b);return x===null?(y===null?0:1):y===null?-1:(x-y)*sign})
list.append(...sorted);count.textContent=shown+' of '+cards.length+' shown'}
form.addEventListener('input',apply);form.addEventListener('submit',e=>e.preventDefault());apply()})()
`
