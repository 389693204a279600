//! Webhooks as Meta sends them: the shapes (`item`, `attachment`, `change`, `envelope`) and the
//! way out (`sender`, `hold`, `verify`). What a customer did to cause one belongs to `customer`.

pub mod attachment;
pub mod change;
pub mod envelope;
pub(crate) mod gate;
pub(crate) mod hold;
pub mod item;
pub mod sender;
pub mod verify;
