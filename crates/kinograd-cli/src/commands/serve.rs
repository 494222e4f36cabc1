//! `kinograd serve`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use kinograd::MotionGenerator;
use kinograd_files::{Budget, read_text};
use kinograd_server::{Config, GeneratorSource, Server, Token};
use serde_json::json;

use crate::args::ServeArgs;
use crate::engine;
use crate::interrupt;
use crate::printer::Printer;

/// How often a signal is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Serves until a signal comes.
pub fn run(args: &ServeArgs, printer: &Printer) -> anyhow::Result<()> {
    let config = config(args)?;
    if !config.address.ip().is_loopback() {
        printer.warning(format!(
            "{} is reached from other machines; the token and all that is sent can be read on the way: put a \
             server that speaks TLS before it",
            config.address
        ));
    }
    let (model, options) = (
        args.engine.model().to_owned(),
        engine::options(&args.engine),
    );
    let server = Server::start(config, move || {
        GeneratorSource::new(MotionGenerator::open(&model, &options)?)
    })?;
    let url = format!("http://{}", server.address());
    printer.document(
        &json!({"schema": "kinograd.serve/1", "url": url}),
        &format!("listening on {url}"),
    )?;
    while !interrupt::interrupted() {
        std::thread::sleep(LOOK);
    }
    drop(server);
    Ok(())
}

fn config(args: &ServeArgs) -> anyhow::Result<Config> {
    let token = args.token_file.as_deref().map(|path| {
        let text = read_text(path, Budget::of_process())?;
        Token::new(&text).with_context(|| format!("--token-file {}", path.display()))
    });
    let mut config = Config::new(SocketAddr::new(args.bind, args.port), token.transpose()?)?;
    config.limits.queue = usize::from(args.queue);
    config.limits.samples = usize::from(args.max_samples);
    config.limits.request_timeout = Duration::from_secs(args.timeout.into());
    Ok(config)
}
