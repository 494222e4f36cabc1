//! The pinned wheel from a package index (PEP 503 and PEP 691).

use std::path::{Path, PathBuf};

use super::http::{Client, Url};
use super::progress::{Failure, Progress};
use super::settings::PipSettings;
use crate::pins::Wheel;

/// Downloads a wheel from the first index that has it. An empty reason says that none is configured.
pub(super) fn download(
    settings: &PipSettings,
    wheel: &Wheel,
    work: &Path,
    progress: Progress<'_>,
) -> Result<PathBuf, Failure> {
    let mut reasons = Vec::new();
    for index in &settings.indexes {
        match from_index(index, settings, wheel, work, progress) {
            Err(Failure::Other(reason)) => reasons.push(reason),
            other => return other,
        }
    }
    Err(Failure::Other(reasons.join("; ")))
}

fn from_index(
    index: &str,
    settings: &PipSettings,
    wheel: &Wheel,
    work: &Path,
    progress: Progress<'_>,
) -> Result<PathBuf, Failure> {
    let index = Url::parse(index).map_err(Failure::Other)?;
    let failed = |reason: String| Failure::Other(format!("{}: {reason}", index.host));
    let client = Client::new(&index, settings).map_err(failed)?;
    let project = index.join(&format!(
        "{}/{}/",
        index.path_without_slash(),
        wheel.project
    ));
    let page = client.page(&project, progress)?;
    let link = links(&page)
        .into_iter()
        .find(|link| is_it(link, wheel))
        .ok_or_else(|| {
            failed(format!(
                "it has no wheel {}*{}*",
                wheel.stem(),
                wheel.platform
            ))
        })?;
    let url = project.join(&link);
    client.file(&url, wheel, &work.join("download.whl"), progress)
}

/// Finds and joins links, whatever comes of it.
pub(super) fn try_page(page: &str, wheel: &Wheel) {
    let Ok(index) = Url::parse("https://index.invalid/simple/onnxruntime/") else {
        return;
    };
    for link in links(page) {
        let _ = (is_it(&link, wheel), index.join(&link));
    }
}

/// Whether a link names the pinned file.
fn is_it(link: &str, wheel: &Wheel) -> bool {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    if fragment.eq_ignore_ascii_case(&format!("sha256={}", wheel.sha256)) {
        return true;
    }
    let path = path.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(&wheel.stem()) && name.contains(wheel.platform) && name.ends_with(".whl")
}

/// The links of a page: JSON (PEP 691), else HTML (PEP 503).
fn links(page: &str) -> Vec<String> {
    if let Ok(document) = serde_json::from_str::<serde_json::Value>(page) {
        let files = document["files"].as_array().cloned().unwrap_or_default();
        let link = |file: &serde_json::Value| {
            let url = file["url"].as_str()?;
            let hash = file["hashes"]["sha256"].as_str().unwrap_or_default();
            let plain = url.split('#').next().unwrap_or_default();
            Some(format!("{plain}#sha256={hash}"))
        };
        return files.iter().filter_map(link).collect();
    }
    let mut links = Vec::new();
    for part in page.split("href").skip(1) {
        let Some(value) = part.trim_start().strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start();
        let link = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split(quote).next(),
            _ => value.split([' ', '>', '\t', '\n']).next(),
        };
        links.extend(link.map(|link| link.replace("&amp;", "&")));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::{InstallKind, wheel_for};

    #[test]
    fn links_are_found_in_both_forms_of_a_page() {
        let wheel = wheel_for(InstallKind::Cpu, "linux", "x86_64").unwrap();
        let name = format!(
            "{}manylinux_2_27_x86_64.{}.whl",
            wheel.stem(),
            wheel.platform
        );
        let html = format!(
            "<!DOCTYPE html><a href=\"../../other-1.0.whl\">x</a>\
             <A HREF='x'>no</A><a data-x=1 href = '../../f/{name}?a=1&amp;b=2#sha256=00'>{name}</a>"
        );
        let found: Vec<String> = links(&html)
            .into_iter()
            .filter(|l| is_it(l, &wheel))
            .collect();
        assert_eq!(found, [format!("../../f/{name}?a=1&b=2#sha256=00")]);
        let json = format!(
            r#"{{"files": [{{"url": "/a", "hashes": {{}}}}, {{"url": "/f", "hashes": {{"sha256": "{}"}}}}]}}"#,
            wheel.sha256
        );
        let found: Vec<String> = links(&json)
            .into_iter()
            .filter(|l| is_it(l, &wheel))
            .collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("/f#"), "{found:?}");
        for page in [
            "",
            "href",
            "href=",
            "{}",
            "[1",
            "<a href=\"",
            "{\"files\": 3}",
        ] {
            assert!(
                !links(page).iter().any(|link| is_it(link, &wheel)),
                "{page}"
            );
        }
    }
}
