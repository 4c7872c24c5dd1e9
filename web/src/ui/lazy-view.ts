import { html } from "lit-html";
import type { Shop, View } from "../shop.ts";

/** A view whose code is loaded on demand. */
export interface LazyViewOptions {
  /** Heading and title until the view is there. */
  readonly title: string;
  readonly load: () => Promise<View>;
}

/** A placeholder until a view's code is loaded. Where loading fails, it shows the error and offers a retry. */
export function createLazyView(shop: Shop, { title, load }: LazyViewOptions): View {
  let loaded: View | undefined;
  let failed = false;
  let closed = false;

  const begin = async (): Promise<void> => {
    try {
      const view = await load();
      if (closed) return view.close();
      loaded = view;
      // The heading that had the focus is another one now.
      shop.focus("h1");
    } catch {
      failed = true;
      shop.refresh();
    }
  };
  void begin();

  return {
    get title() {
      return loaded?.title ?? `${title} · SmartCart`;
    },
    render: () => {
      if (loaded) return loaded.render();
      return html`
        <div class="lazy-view">
        <h1 tabindex="-1">${title}</h1>
        ${
          failed
            ? html`
                <div class="notice warn" role="alert">
                  <p>This page could not be loaded. Either the network is unavailable, or the shop was just updated.</p>
                  <p><button type="button" class="button" @click=${() => location.reload()}>Reload</button></p>
                </div>
              `
            : html`<p class="muted" role="status">Loading…</p>`
        }
        </div>
      `;
    },
    moveTo: (route) => loaded?.moveTo?.(route) ?? false,
    close() {
      closed = true;
      loaded?.close();
    },
  };
}
