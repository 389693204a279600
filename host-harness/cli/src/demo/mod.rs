//! Owns: the demo's parts: a simulator, a host and a customer's phone in one process, connected by real HTTP on loopback.
//! Does not own: the command `harness demo`, which plays or opens it.

mod phone;
mod pictures;
mod stage;

pub use self::{
    phone::DemoPhone,
    pictures::{MUG, VASE},
    stage::{Stage, reply, text_part},
};
