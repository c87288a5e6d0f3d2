/** Carries chunks to workers. It decides nothing: a chunk that arrives twice, late or never does no harm. */
export interface CampaignEngine {
  /** Offers chunks to the workers; one that is already offered is ignored. Rejects while the engine's store is unavailable. */
  offer(chunks: readonly ChunkPointer[]): Promise<void>
  /** Number of chunks that wait for a worker. */
  waiting(): Promise<number>
  /** Calls `handle` for each chunk that comes, at most `concurrency` at a time. It never rejects. */
  work(options: EngineWorkOptions): EngineWorker
  close(): Promise<void>
}

/** Identifies a chunk. An engine's store may hold nothing else. */
export interface ChunkPointer {
  readonly campaignId: string
  readonly index: number
}

/** Options of {@link CampaignEngine.work}. */
export interface EngineWorkOptions {
  readonly concurrency: number
  readonly handle: (chunk: ChunkPointer) => Promise<void>
  /** Called about faults of the engine, which recovers automatically. */
  readonly onError: (error: Error) => void
}

/** Work in this process. */
export interface EngineWorker {
  /** Takes no further chunk, and does not wait for those being handled. */
  close(): Promise<void>
}
