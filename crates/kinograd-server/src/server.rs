//! A server that runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use kinograd::Error;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::config::Config;
use crate::idempotency::Idempotency;
use crate::jobs::Jobs;
use crate::listen::listen;
use crate::metrics::Metrics;
use crate::model::ClipSource;
use crate::queue::Queue;
use crate::router::router;
use crate::start_error::StartError;
use crate::state::State;
use crate::worker;

/// Threads that talk to clients; the generator has its own.
const THREADS: usize = 2;

/// A server that runs until it is stopped.
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<tokio::task::JoinHandle<()>>,
    runtime: Option<Runtime>,
    generator: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the generator on a thread of its own and listens. After a panic it is opened again.
    ///
    /// # Errors
    /// [`StartError`] where the model cannot be opened or the address is taken.
    pub fn start<S: ClipSource>(
        mut config: Config,
        open: impl Fn() -> Result<S, Error> + Send + 'static,
    ) -> Result<Self, StartError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("server")
            .enable_io()
            .enable_time()
            .build()
            .map_err(|source| StartError::Thread {
                what: "the server's threads",
                source,
            })?;
        let asked = config.address;
        let refused = |source| StartError::Listen {
            address: asked,
            source,
        };
        // Before the model is opened, which takes longer to fail.
        let listener = runtime
            .block_on(TcpListener::bind(asked))
            .map_err(refused)?;
        config.address = listener.local_addr().map_err(refused)?;
        let shared = worker::Shared {
            metrics: Arc::new(Metrics::default()),
            stopping: Arc::new(AtomicBool::new(false)),
        };
        let (queue, work) = Queue::new(config.limits.queue);
        let (model, generator) = worker::start(open, work, shared.clone())?;
        let (address, limits) = (config.address, config.limits.clone());
        let state = Arc::new(State {
            jobs: Jobs::new(limits.jobs, limits.keep),
            idempotency: Idempotency::new(limits.keep),
            config,
            model,
            queue,
            metrics: shared.metrics,
            stopping: shared.stopping.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(listen(listener, router(state), limits, stopped));
        Ok(Self {
            address,
            stopping: shared.stopping,
            stop: Some(stop),
            serving: Some(serving),
            runtime: Some(runtime),
            generator: Some(generator),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    /// Takes no more requests, stops the generator at its next step, tells those who wait, and ends.
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(runtime) = self.runtime.take() {
            if let Some(serving) = self.serving.take() {
                let _ = runtime.block_on(serving);
            }
            runtime.shutdown_background();
        }
        if let Some(generator) = self.generator.take() {
            // What it panicked of was logged.
            let _ = generator.join();
        }
    }
}
