//! Owns: exporting traces to a collector: which spans, and in the background, so that a slow collector delays nothing.
//! Does not own: what is traced.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use bytes::Bytes;
use harness_cli::{
    client::PlainClient,
    config::{ConfigFile, TraceTarget},
};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_http::{HttpClient, HttpError, Request, Response, ResponseExt as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tokio::runtime::Runtime;
use tracing::Level;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// The trace exporter of a running host.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// An exporter as configured; `None` if the configuration names no collector.
    pub(crate) fn of(config: &Path) -> Result<Option<Self>> {
        ConfigFile::read(config)?.traces()?.map(Self::to).transpose()
    }

    fn to(target: TraceTarget) -> Result<Self> {
        let endpoint = target.endpoint.to_string();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new(target.headers)?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("harness").with_attribute(version).build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(target.sample)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// Exports this project's spans up to the level `info`, which contain nothing that people write.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("harness"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target("harness", Level::INFO))
    }

    /// Flushes the remaining traces.
    pub(crate) fn end(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Sends batches on its own runtime, because the exporter's thread has none.
struct Sender {
    client: PlainClient,
    runtime: Runtime,
    failing: Arc<AtomicBool>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    fn new(headers: Vec<(http::HeaderName, harness_engine::Secret)>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("telemetry")
            .enable_all()
            .build()?;
        Ok(Self { client: PlainClient::new(headers)?, runtime, failing: Arc::default() })
    }

    /// Logs only the first failure in a row, and the recovery.
    fn note(&self, problem: Option<&str>) {
        let failed_before = self.failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(problem) if !failed_before => {
                tracing::warn!(problem, "the collector does not take traces; those of this time are lost");
            }
            None if failed_before => tracing::warn!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.send(request).await }).await?;
        let answer = answer.map_err(HttpError::from).and_then(|answer| answer.error_for_status());
        self.note(answer.as_ref().err().map(ToString::to_string).as_deref());
        answer
    }
}
