export { describeForeignClients } from "./foreign-clients.ts";
export { describeLostDatabase } from "./lost-database.ts";
export { describeReadme } from "./readme.ts";
export { describeServiceProcess } from "./service-process.ts";
