export { describeForeignClients } from "./foreign-clients.ts";
export { describeHangUps } from "./hang-ups.ts";
export { describeLostDatabase } from "./lost-database.ts";
export { describeReadme } from "./readme.ts";
export { describeServiceProcess } from "./service-process.ts";
