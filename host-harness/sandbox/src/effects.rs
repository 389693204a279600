//! Owns: the imports of a component, and the state of one call.
//! Does not own: sockets, files, databases; the host implements [`Effects`].

use harness_contract::{HttpError, HttpRequest, HttpResponse, VERSION};
use wasmtime::{ResourceLimiter, StoreContextMut, component::Linker};

use crate::{
    error::{CallFailure, Raised, Scarce},
    inspect::interface,
    memory::Taken,
};

pub use harness_contract::StorageError;

/// The network and the storage of one account, supplied by the host for one call.
///
/// The methods block: calls that may use them run on a blocking thread.
pub trait Effects: Send {
    /// Sends a request: `http.send`.
    fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
    /// Reads a value: `storage.get`.
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StorageError>;
    /// Writes a value: `storage.set`.
    fn set(&mut self, key: &str, value: Vec<u8>) -> Result<(), StorageError>;
    /// Removes a value: `storage.delete`.
    fn delete(&mut self, key: &str) -> Result<(), StorageError>;
    /// Lists keys: `storage.keys`.
    fn keys(&mut self, prefix: &str) -> Result<Vec<String>, StorageError>;
}

/// The store's data during one call.
pub(crate) struct CallState {
    /// `None` in a pure call, where every import traps.
    pub(crate) effects: Option<Box<dyn Effects>>,
    pub(crate) memory_bytes: usize,
    /// The call's part of the memory of all calls.
    pub(crate) memory: Taken,
    pub(crate) table_elements: usize,
}

impl CallState {
    fn effects(&mut self, import: &'static str) -> wasmtime::Result<&mut Box<dyn Effects>> {
        self.effects.as_mut().ok_or_else(|| wasmtime::Error::new(Raised(CallFailure::ImportInPureCall(import))))
    }
}

impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.memory_bytes {
            // A trap here, instead of a failed allocation in the guest, preserves the reason.
            return Err(wasmtime::Error::new(Raised(CallFailure::Memory(self.memory_bytes as u64))));
        }
        if let Err(most) = self.memory.grow(desired.saturating_sub(current)) {
            return Err(wasmtime::Error::new(Raised(CallFailure::Busy(Scarce::Memory(most)))));
        }
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            return Err(wasmtime::Error::new(Raised(CallFailure::Table(self.table_elements))));
        }
        Ok(true)
    }
}

/// Adds the imports of the world `channel` to a linker.
pub(crate) fn add_imports(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    type Caller<'a> = StoreContextMut<'a, CallState>;
    let mut http = linker.instance(&interface("http", VERSION))?;
    http.func_wrap("send", |mut caller: Caller<'_>, (request,): (HttpRequest,)| {
        Ok((caller.data_mut().effects("http.send")?.send(request),))
    })?;
    let mut storage = linker.instance(&interface("storage", VERSION))?;
    storage.func_wrap("get", |mut caller: Caller<'_>, (key,): (String,)| {
        Ok((caller.data_mut().effects("storage.get")?.get(&key),))
    })?;
    storage.func_wrap("set", |mut caller: Caller<'_>, (key, value): (String, Vec<u8>)| {
        Ok((caller.data_mut().effects("storage.set")?.set(&key, value),))
    })?;
    storage.func_wrap("delete", |mut caller: Caller<'_>, (key,): (String,)| {
        Ok((caller.data_mut().effects("storage.delete")?.delete(&key),))
    })?;
    storage.func_wrap("keys", |mut caller: Caller<'_>, (prefix,): (String,)| {
        Ok((caller.data_mut().effects("storage.keys")?.keys(&prefix),))
    })?;
    Ok(())
}
