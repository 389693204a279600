// Pelican, an invented messenger whose webhooks and messages are plain JSON: a channel that sends and receives texts.

import { textChannel } from "../../sdk/js/text-channel.js";

const HOUR = 3_600_000;

export const messagingChannel = textChannel(
  {
    capabilities: {
      textLimits: [{ field: "message_text", limit: { max: 1000, unit: "characters" } }],
      window: { customerFirst: true, rules: [{ opener: "message", openFor: 24 * HOUR }] },
      identity: { field: "pelican_id" },
    },
    items: "/messages",
    send: {
      url: "https://api.pelican.example/v1/messages",
      slot: "api-token",
      body: { to: "{to}", text: "{text}", client_ref: "{ref}" },
      id: "/message/id",
      code: "/error/code",
      categories: { blocked: "opted-out", unknown_user: "recipient-unavailable" },
    },
  },
  ({ id, from, text, sent_at }) => ({ id, contact: from.id, name: from.name, text, at: sent_at }),
);
