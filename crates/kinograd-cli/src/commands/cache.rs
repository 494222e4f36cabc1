//! `kinograd cache`.

use std::fmt::Write as _;

use anyhow::Context as _;
use kinograd::runtime::{CACHE_LIMIT_BYTES, cache_dir, cache_usage, limit_cache};
use serde_json::json;

use crate::args::CacheCommand;
use crate::printer::Printer;

/// Shows what the cache holds, or clears it.
pub fn run(
    command: Option<&CacheCommand>,
    limit: Option<u64>,
    printer: &Printer,
) -> anyhow::Result<()> {
    let folder = cache_dir().context("the user has no cache folder; set KINOGRAD_CACHE to one")?;
    let failed = || format!("the cache {}", folder.display());
    let freed = match command {
        Some(CacheCommand::Clear) => limit_cache(&folder, 0).with_context(failed)?,
        None => 0,
    };
    let usage = cache_usage(&folder).with_context(failed)?;
    let total: u64 = usage.values().map(|kind| kind.bytes).sum();
    let limit = limit.unwrap_or(CACHE_LIMIT_BYTES);
    let mut text = format!("{}\n", folder.display());
    for (kind, usage) in &usage {
        writeln!(
            text,
            "{kind:<15} {:>10}  {} entries",
            size(usage.bytes),
            usage.entries
        )?;
    }
    writeln!(
        text,
        "{:<15} {:>10}  of {}",
        "all",
        size(total),
        size(limit)
    )?;
    if command.is_some() {
        writeln!(text, "{} freed", size(freed))?;
    }
    let kinds: serde_json::Map<String, serde_json::Value> = usage
        .iter()
        .map(|(kind, usage)| {
            (
                kind.clone(),
                json!({ "bytes": usage.bytes, "entries": usage.entries }),
            )
        })
        .collect();
    printer.document(
        &json!({
            "schema": "kinograd.cache/1",
            "folder": folder,
            "bytes": total,
            "limit_bytes": limit,
            "freed_bytes": freed,
            "kinds": kinds,
        }),
        &text,
    )?;
    Ok(())
}

/// Keeps the cache below its limit. A cache that cannot be read is left as it is: nothing depends on it.
pub fn keep_below(limit: Option<u64>, printer: &Printer) {
    let Some(folder) = cache_dir().filter(|folder| folder.is_dir()) else {
        return;
    };
    match limit_cache(&folder, limit.unwrap_or(CACHE_LIMIT_BYTES)) {
        Ok(0) => {}
        Ok(freed) => printer.note(format!(
            "the cache was above its limit: {} freed",
            size(freed)
        )),
        Err(error) => printer.warning(format!("the cache {}: {error}", folder.display())),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size to read")]
fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 1000.0 {
        format!("{megabytes:.1} MB")
    } else {
        format!("{:.1} GB", megabytes / 1000.0)
    }
}
