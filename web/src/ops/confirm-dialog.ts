import type { TemplateResult } from "lit-html";
import { html, render } from "lit-html";
import { createRef, ref } from "lit-html/directives/ref.js";

/** A question that has to be answered before anything goes on. */
export interface ConfirmDialog {
  /** Opens it; resolves with whether the answer was yes. The focus goes back to where it was. */
  ask(question: {
    readonly title: string;
    readonly text: string;
    readonly yes: string;
  }): Promise<boolean>;
  /** Its place on the page. */
  render(): TemplateResult;
}

/** @param no The other answer. Default: "Keep". */
export function createConfirmDialog(no = "Keep"): ConfirmDialog {
  const place = createRef<HTMLDialogElement>();
  return {
    ask: ({ title, text, yes }) => {
      const dialog = place.value;
      if (!dialog) return Promise.resolve(false);
      const content = html`
        <h2 id="confirm-title">${title}</h2>
        <p id="confirm-text">${text}</p>
        <form method="dialog" class="row">
          <button class="button danger" value="yes">${yes}</button>
          <button class="button" value="no" autofocus>${no}</button>
        </form>
      `;
      render(content, dialog);
      dialog.returnValue = "no";
      dialog.showModal();
      return new Promise((resolve) => {
        dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), {
          once: true,
        });
      });
    },
    render: () => html`
      <dialog role="alertdialog" aria-labelledby="confirm-title" aria-describedby="confirm-text" ${ref(place)}></dialog>
    `,
  };
}
