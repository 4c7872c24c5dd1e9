import { InventoryService } from "@smartcart/gen/inventory/v1/inventory_service_pb";
import { describeHangUps } from "@smartcart/testkit/suites";
import { createInventoryRoutes } from "../src/routes.ts";

describeHangUps(InventoryService, createInventoryRoutes);
