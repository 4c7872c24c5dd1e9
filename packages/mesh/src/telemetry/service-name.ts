/** The short name of a service: "inventory" for "smartcart.inventory.v1.InventoryService". */
export function serviceName(typeName: string): string {
  return /^smartcart\.(\w+)\.v\d+\./.exec(typeName)?.[1] ?? typeName;
}
