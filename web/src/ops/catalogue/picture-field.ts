import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import { pictureOf } from "../../ui/picture.ts";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";
import { fieldProblem } from "./product-fields.ts";

/** The picture of a product: an address, or a file that is uploaded. */
export interface PictureField {
  render(options: PictureFieldOptions): TemplateResult;
}

interface PictureFieldOptions {
  /** Begins the ids of the fields. */
  readonly form: string;
  readonly productId: string;
  readonly pictureUrl: string;
  readonly problem: string | undefined;
  readonly change: (pictureUrl: string) => void;
}

/** The bound of the contract, in bytes; the service may have a lower one, and says so. */
const maxBytes = 2_000_000;
const fileTypes = "image/png,image/jpeg,image/webp,image/avif";

export function createPictureField({ shop, catalogue, access, signal }: Console): PictureField {
  let isUploading = false;
  let complaint = "";
  const upload = async (file: File, change: PictureFieldOptions["change"]): Promise<void> => {
    if (isUploading) return;
    complaint = file.size > maxBytes ? "The file is larger than 2 MB. Choose a smaller one." : "";
    isUploading = complaint === "";
    shop.refresh();
    if (!isUploading) return;
    try {
      const content = new Uint8Array(await file.arrayBuffer());
      const { pictureUrl } = await catalogue.uploadPicture({ content }, { signal });
      change(pictureUrl);
    } catch (error) {
      signal.throwIfAborted();
      complaint = access.isDenied(error) ? "" : complaintOf(error);
    }
    isUploading = false;
    shop.refresh();
  };

  return {
    render({ form, productId, pictureUrl, problem, change }) {
      const id = `${form}-pictureUrl`;
      const shown = problem || complaint;
      const choose = ({ target }: Event): void => {
        const input = target as HTMLInputElement;
        const file = input.files?.[0];
        // A rejection means that the console was left.
        if (file) upload(file, change).catch(() => {});
        input.value = "";
      };
      return html`
        <div class="field picture-field">
          <label for=${id}>Picture</label>
          <div class="picture-choice">
            <span class="thumb large">${pictureOf({ productId, pictureUrl: previewOf(pictureUrl) })}</span>
            <div>
              <input id=${id} type="text" inputmode="url" maxlength="2000" autocomplete="off" spellcheck="false" placeholder="https://… or upload a file" .value=${pictureUrl}
                @input=${({ target }: Event) => change((target as HTMLInputElement).value)}
                aria-invalid=${shown ? "true" : nothing} aria-describedby=${shown ? `${id}-problem` : nothing} />
              <p class="row">
                <label class="button small upload" aria-disabled=${isUploading ? "true" : nothing}>
                  <input type="file" class="visually-hidden" accept=${fileTypes} @change=${choose} />
                  ${isUploading ? "Uploading…" : "Upload a picture"}
                </label>
                <button type="button" class="button small" aria-disabled=${pictureUrl ? nothing : "true"} @click=${() => change("")}>Remove</button>
                <span class="muted small">PNG, JPEG, WebP or AVIF, at most 2 MB</span>
              </p>
            </div>
          </div>
          ${fieldProblem(id, shown)}
        </div>
      `;
    },
  };
}

/** Half an address is none: the browser would ask for it with every key. */
function previewOf(pictureUrl: string): string {
  return /^(?:https:\/\/[^/]+\/.|\/pictures\/.)/.test(pictureUrl) ? pictureUrl : "";
}
