/**
 * Preloaded into each spawned part: when the process that spawned it is gone, however it ended, the part ends as well. A
 * test runner that kills a test leaves nothing behind.
 */
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
// The channel alone does not keep the part running.
process.channel?.unref();
