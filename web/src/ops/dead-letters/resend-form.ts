import type { TemplateResult } from "lit-html";
import { html, nothing } from "lit-html";
import type { DeadLetter } from "@smartcart/gen/ops/v1/dead_letter_pb";
import type { Console } from "../console.ts";
import { complaintOf } from "../console-access.ts";

/** The body of a dead letter, to be edited and sent as a copy. */
export interface ResendForm {
  render(deadLetter: DeadLetter): TemplateResult | typeof nothing;
}

interface State {
  key: string;
  phase: "closed" | "open" | "sending";
  text: string;
  complaint: string;
  sentId: string;
}

export function createResendForm({ shop, ops, access, signal }: Console): ResendForm {
  const closed = { phase: "closed", text: "", complaint: "", sentId: "" } as const;
  let state: State = { ...closed, key: "" };
  const change = (part: Partial<State>): void => {
    state = { ...state, ...part };
    shop.refresh();
  };
  const send = async ({ queue, messageId }: DeadLetter): Promise<void> => {
    if (state.phase === "sending") return;
    const messageJson = state.text;
    change({ phase: "sending", complaint: "" });
    try {
      const sent = await ops.resendDeadLetter(
        { queue, messageId, messageJson },
        { signal, timeoutMs: 11_000 },
      );
      change({ ...closed, sentId: sent.messageId });
      shop.announce("The copy is sent");
    } catch (error) {
      if (signal.aborted) return;
      change({ phase: "open", complaint: access.isDenied(error) ? "" : complaintOf(error) });
    }
  };

  return {
    render(deadLetter) {
      const { queue, messageId, messageJson } = deadLetter;
      const key = `${queue} ${messageId}`;
      if (messageJson === "") return nothing;
      if (state.key !== key) state = { ...closed, key };
      const { phase, sentId } = state;
      const edit = (): void =>
        change({
          ...closed,
          phase: "open",
          text: JSON.stringify(JSON.parse(messageJson), undefined, 2),
        });
      if (phase === "closed") {
        return html`
          <p class="row">
            <button type="button" class="button small" @click=${edit}>Edit and send a copy</button>
            <span role="status" data-copy=${sentId}>${sentId ? `The copy ${sentId} is sent. Archive or delete this one.` : ""}</span>
          </p>
        `;
      }
      return formTemplate(state, {
        send: () => void send(deadLetter),
        type: (next) => {
          state = { ...state, text: next };
        },
        discard: () => change(closed),
      });
    },
  };
}

interface FormActions {
  readonly send: () => void;
  readonly type: (text: string) => void;
  readonly discard: () => void;
}

function formTemplate({ text, complaint, phase }: State, actions: FormActions): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    actions.send();
  };
  return html`
    <form class="resend" @submit=${submit}>
      <label for="resend-body">Body of the copy. What says [redacted] stays as it is.</label>
      <textarea
        id="resend-body"
        rows="10"
        spellcheck="false"
        .value=${text}
        aria-invalid=${complaint ? "true" : nothing}
        @input=${(event: Event) => actions.type((event.target as HTMLTextAreaElement).value)}
      ></textarea>
      ${complaint ? html`<p class="field-error" role="alert">${complaint}</p>` : nothing}
      <p class="row">
        <button class="button small primary" aria-disabled=${phase === "sending" ? "true" : nothing}>Send the copy</button>
        <button type="button" class="button small" @click=${actions.discard}>Discard</button>
      </p>
    </form>
  `;
}
