export interface ModelSettings {
  readonly model: string
}
