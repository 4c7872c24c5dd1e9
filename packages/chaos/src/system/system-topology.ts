/** The services, the instances of a run, and the links between them. */

export const services = {
  inventory: { portVariable: "INVENTORY_PORT", calls: [] },
  payment: { portVariable: "PAYMENT_PORT", calls: [] },
  shipping: { portVariable: "SHIPPING_PORT", calls: [] },
  order: {
    portVariable: "ORDER_PORT",
    calls: [
      { service: "inventory", variable: "INVENTORY_URL" },
      { service: "payment", variable: "PAYMENT_URL" },
      { service: "shipping", variable: "SHIPPING_URL" },
    ],
  },
  notification: { portVariable: "NOTIFICATION_PORT", calls: [] },
  "status-hub": {
    portVariable: "STATUS_PORT",
    calls: [{ service: "order", variable: "ORDER_URL" }],
  },
  log: { portVariable: "LOG_PORT", calls: [] },
  // Every service in one process, reached where the order service is.
  smartcart: { portVariable: "ORDER_PORT", calls: [] },
} as const satisfies Record<
  string,
  { portVariable: string; calls: readonly { service: string; variable: string }[] }
>;

type ServiceName = keyof typeof services;

/** How many processes of each service run. */
export type Replicas = Readonly<Record<ServiceName, number>>;

/** Two of every service at once, and one log. */
export const fullReplicas: Replicas = {
  inventory: 2,
  payment: 2,
  shipping: 2,
  order: 2,
  notification: 2,
  "status-hub": 2,
  log: 1,
  smartcart: 0,
};

/** Two processes with every service in each. */
export const wholeReplicas: Replicas = {
  ...(Object.fromEntries(Object.keys(services).map((service) => [service, 0])) as Replicas),
  smartcart: 2,
};

/** The names of the processes, in the order in which they are started: "inventory-1", … */
export function instanceNames(replicas: Replicas): string[] {
  return (Object.keys(services) as ServiceName[]).flatMap((service) =>
    Array.from({ length: replicas[service] }, (_, index) => `${service}-${index + 1}`),
  );
}

/** The names of the links: "order-1→payment", "payment-2→database", "client→order", … */
export function linkNames(replicas: Replicas): string[] {
  const ofInstances = instanceNames(replicas).flatMap((instance) => [
    `${instance}→database`,
    `${instance}→broker`,
    ...services[serviceOf(instance)].calls.map(({ service }) => `${instance}→${service}`),
  ]);
  const toInventory = replicas.inventory > 0 ? ["client→inventory"] : [];
  return [...ofInstances, "client→order", "client→status-hub", ...toInventory];
}

/** Whether a process answers calls to that service. */
export function serves({ service }: { readonly service: string }, wanted: string): boolean {
  return service === wanted || (service === "smartcart" && wanted === "order");
}

/** The service of a process: "order" of "order-1". */
export function serviceOf(instance: string): ServiceName {
  return instance.replace(/-\d+$/, "") as ServiceName;
}
