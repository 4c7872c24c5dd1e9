/** What the server is started with beyond PostgreSQL's defaults. */
interface ServerSettings {
  port: number;
  maxConnections: number;
  /** False: a crash of the machine may lose or damage the data. For tests only. */
  durable: boolean;
}

/**
 * Settings as arguments rather than in `postgresql.conf`, so that a newer SmartCart brings its own to an older data
 * folder. They suit one small product on one machine: little memory, few processes, an SSD.
 */
export function serverArguments(dataDirectory: string, o: ServerSettings): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    port: o.port,
    // a socket in a folder would need one that both users can reach
    unix_socket_directories: "",
    max_connections: o.maxConnections,
    shared_buffers: "32MB",
    wal_buffers: "4MB",
    work_mem: "4MB",
    maintenance_work_mem: "32MB",
    effective_cache_size: "256MB",
    huge_pages: "off",
    random_page_cost: 1.1,
    // no process for what one machine does not need: parallel queries, I/O workers, replication, logical decoding
    max_parallel_workers: 0,
    max_parallel_workers_per_gather: 0,
    max_parallel_maintenance_workers: 0,
    max_worker_processes: 0,
    max_logical_replication_workers: 0,
    io_method: "sync",
    autovacuum_max_workers: 1,
    autovacuum_worker_slots: 1,
    wal_level: "minimal",
    max_wal_senders: 0,
    max_wal_size: "512MB",
    // queue tables turn over fast: vacuum them often, and in small steps
    autovacuum_naptime: "15s",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    lc_messages: "C",
    log_checkpoints: "off",
    log_line_prefix: "%m [%p] %a ",
    ...(process.platform === "linux" ? { recovery_init_sync_method: "syncfs" } : {}),
    ...(o.durable ? {} : unsafeButFast),
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", dataDirectory, ...args];
}

const unsafeButFast = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  checkpoint_timeout: "1h",
} as const;
