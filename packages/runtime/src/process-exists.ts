/** Whether a process with that id exists, of any user. */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process of another user exists as well.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
