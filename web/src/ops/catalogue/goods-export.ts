import { html, nothing } from "lit-html";
import Papa from "papaparse";
import type { CatalogueProduct } from "@smartcart/gen/inventory/v1/catalogue_product_pb";
import { formatCount } from "../../ui/numbers.ts";
import type { Console, Panel } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import { amountText } from "./amount.ts";
import { goodsColumns } from "./goods-columns.ts";
import type { ProductQuery } from "./product-query.ts";
import { requestOf } from "./product-query.ts";

const pageSize = 1_000;

/** Downloads the products that match as a file that `Import` reads. */
export function createExport(
  { shop, catalogue, access, signal }: Console,
  query: () => ProductQuery,
): Panel {
  let running: AbortController | undefined;
  let note = "";
  const say = (text: string): void => {
    note = text;
    shop.refresh();
  };

  const run = async (end: AbortSignal): Promise<void> => {
    const lines = [`${goodsColumns.join(",")}\r\n`];
    const wanted = query();
    let [token, count] = ["", 0];
    say("Exporting…");
    do {
      const request = { ...requestOf(wanted, token), pageSize: pageSize };
      const answer = await catalogue.listCatalogueProducts(request, { signal: end });
      lines.push(
        `${Papa.unparse(answer.products.map(cellsOf), { header: false, columns: [...goodsColumns] })}\r\n`,
      );
      count += answer.products.length;
      token = answer.nextPageToken;
      say(`${formatCount(count)} products…`);
    } while (token !== "");
    download(new Blob(lines, { type: "text/csv" }), "goods.csv");
    say(`${formatCount(count)} exported.`);
  };

  const toggle = async (): Promise<void> => {
    if (running) return running.abort();
    running = new AbortController();
    try {
      await run(AbortSignal.any([running.signal, signal]));
    } catch (error) {
      signal.throwIfAborted();
      const isStopped = running.signal.aborted;
      say(isStopped ? "Stopped." : access.isDenied(error) ? "" : complaintOf(error));
    } finally {
      running = undefined;
    }
    shop.refresh();
  };

  return {
    render: () => html`
      <button type="button" class="button small" data-export @click=${() => void toggle().catch(() => {})}>${running ? "Stop the export" : "Export CSV"}</button>
      ${note ? html`<span class="muted" role="status">${note}</span>` : nothing}
    `,
  };
}

/** A product by the columns of a file of goods. */
function cellsOf({ product }: CatalogueProduct): Record<string, string> {
  const currency = product?.price?.currencyCode ?? "";
  return {
    product_id: product?.productId ?? "",
    name: product?.name ?? "",
    description: product?.description ?? "",
    category: product?.category ?? "",
    emoji: product?.emoji ?? "",
    picture_url: product?.pictureUrl ?? "",
    price: amountText(product?.price?.minorUnits ?? 0n, currency),
    currency,
    stock: String(product?.available ?? 0),
    archived: String(product?.archived ?? false),
  };
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then; until it is let go, the blob stays in memory.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
