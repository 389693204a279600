//! Webhooks as Meta sends them: the shapes (`item`, `attachment`, `change`, `envelope`) and sending them (`sender`,
//! `hold`, `verify`). The customer's actions that cause them belong to `customer`.

pub mod attachment;
pub mod change;
pub mod envelope;
pub(crate) mod gate;
pub(crate) mod hold;
pub mod item;
pub mod sender;
pub mod verify;
