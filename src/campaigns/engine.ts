/** What carries chunks to workers. It decides nothing: a chunk that comes twice, late, or to nobody does no harm. */
export interface CampaignEngine {
  /** Hands chunks to the workers. One that is on its way already is not added. Rejects while the engine's store is away. */
  offer(chunks: readonly ChunkPointer[]): Promise<void>
  /** How many wait for a worker. */
  waiting(): Promise<number>
  /** Calls `handle` for each chunk that comes, at most `concurrency` at a time. It never rejects. */
  work(options: EngineWorkOptions): EngineWorker
  close(): Promise<void>
}

/** Which chunk of which campaign. All that an engine's store may hold. */
export interface ChunkPointer {
  readonly campaignId: string
  readonly index: number
}

/** Options of {@link CampaignEngine.work}. */
export interface EngineWorkOptions {
  readonly concurrency: number
  readonly handle: (chunk: ChunkPointer) => Promise<void>
  /** Hears of faults of the engine; it goes on by itself. */
  readonly onError: (error: Error) => void
}

/** Work in this process. */
export interface EngineWorker {
  /** Takes nothing more, and does not wait for what is in hand. */
  close(): Promise<void>
}
