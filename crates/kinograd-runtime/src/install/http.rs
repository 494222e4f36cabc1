//! Requests over HTTPS, within limits, that can be stopped.

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::progress::{Failure, InstallProgress, Progress, disk_error, step};
use super::settings::PipSettings;
use crate::pins::Wheel;

/// Longest page of an index.
const PAGE_BYTES: u64 = 64 << 20;
/// A download that stands still for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often progress is told and a stop is seen.
const TICK: Duration = Duration::from_millis(100);
/// Asks for JSON where the index has it.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";

/// An address, in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Url {
    scheme: String,
    /// Name and port.
    pub host: String,
    /// Of the user, as `name:password`, percent-encoded.
    user: Option<String>,
    /// From the first slash on, with the query.
    path: String,
}

impl Url {
    /// Splits an address; only HTTPS is taken, or HTTP of this machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("the package index that pip is configured with is no address")?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        let url = Self {
            scheme: scheme.to_lowercase(),
            host: host.to_owned(),
            user,
            path: path.split('#').next().unwrap_or_default().to_owned(),
        };
        if host.is_empty() || !(url.scheme == "https" || url.is_local()) {
            return Err(format!("{host}: an index is asked over HTTPS only"));
        }
        Ok(url)
    }

    fn is_local(&self) -> bool {
        let name = match self.host.strip_prefix('[') {
            Some(rest) => rest.split(']').next(),
            None => self.host.split(':').next(),
        };
        self.scheme == "http" && matches!(name, Some("localhost" | "127.0.0.1" | "::1"))
    }

    pub fn path_without_slash(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        path.trim_end_matches('/')
    }

    /// The address that a link on the page at this one names. An address of another scheme that is
    /// not taken comes out as one that cannot be asked.
    pub fn join(&self, link: &str) -> Self {
        let link = link.split('#').next().unwrap_or_default();
        if link.contains("://") {
            return Self::parse(link).unwrap_or_else(|_| Self {
                scheme: String::new(),
                ..self.clone()
            });
        }
        if let Some(rest) = link.strip_prefix("//") {
            return self.join(&format!("{}://{rest}", self.scheme));
        }
        let mut parts: Vec<&str> = Vec::new();
        let (link_path, query) = link.split_once('?').unwrap_or((link, ""));
        if !link_path.starts_with('/') {
            let folder = self.path.split('?').next().unwrap_or_default();
            parts.extend(folder.rsplit_once('/').map_or("", |(f, _)| f).split('/'));
        }
        for part in link_path.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let joined = parts.join("/");
        let mut path = format!("/{}", joined.trim_start_matches('/'));
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        Self {
            path,
            ..self.clone()
        }
    }

    fn address(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.path)
    }
}

/// Asks one index and what it refers to.
pub(super) struct Client {
    agent: ureq::Agent,
    /// The host that the user's name and password are for.
    host: String,
    authorization: Option<String>,
}

impl Client {
    pub fn new(index: &Url, settings: &PipSettings) -> Result<Self, String> {
        let mut tls = TlsConfig::builder();
        if let Some(path) = &settings.cert {
            let pem = kinograd_files::read(path, kinograd_files::Budget::of_process())
                .map_err(|error| format!("{}: {}", path.display(), error.into_io()))?;
            let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            if certificates.is_empty() {
                return Err(format!("{}: no certificates", path.display()));
            }
            tls = tls.root_certs(RootCerts::new_with_certs(&certificates));
        }
        let mut config = ureq::Agent::config_builder()
            .https_only(!index.is_local())
            .tls_config(tls.build())
            .max_redirects(5)
            .user_agent(concat!("kinograd/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(30)));
        if let Some(proxy) = &settings.proxy {
            let proxy = ureq::Proxy::new(proxy).map_err(|error| format!("proxy: {error}"))?;
            config = config.proxy(Some(proxy));
        }
        Ok(Self {
            agent: ureq::Agent::new_with_config(config.build()),
            host: index.host.clone(),
            authorization: index.user.as_deref().map(basic),
        })
    }

    fn ask(&self, url: &Url) -> Result<ureq::Body, String> {
        let mut request = self.agent.get(url.address()).header("Accept", ACCEPT);
        if url.host == self.host
            && let Some(authorization) = &self.authorization
        {
            request = request.header("Authorization", authorization);
        }
        let response = request.call().map_err(|error| error.to_string())?;
        Ok(response.into_body())
    }

    /// A page of the index.
    pub fn page(&self, url: &Url, progress: Progress<'_>) -> Result<String, Failure> {
        let into = tempfile::tempfile().map_err(|error| disk_error(Path::new("."), &error))?;
        self.fetch(url, into, PAGE_BYTES, &mut |_| {
            step(progress, InstallProgress::Checking)
        })
        .and_then(|mut file| {
            let mut text = Vec::new();
            std::io::Seek::rewind(&mut file)
                .and_then(|()| file.read_to_end(&mut text))
                .map_err(|error| Failure::Other(error.to_string()))?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        })
    }

    /// A file, to a path.
    pub fn file(
        &self,
        url: &Url,
        wheel: &Wheel,
        path: &Path,
        progress: Progress<'_>,
    ) -> Result<PathBuf, Failure> {
        let into = File::create_new(path).map_err(|error| disk_error(path, &error))?;
        let name = format!("{}{}.whl", wheel.stem(), wheel.platform);
        let fetched = self.fetch(url, into, wheel.bytes, &mut |bytes| {
            let state = InstallProgress::Downloading {
                wheel: name.clone(),
                bytes,
                total: wheel.bytes,
            };
            step(progress, state)
        });
        if fetched.is_err() {
            // The next way may need the name.
            let _ = std::fs::remove_file(path);
        }
        fetched.map(|_| path.to_path_buf())
    }

    /// Downloads on a thread of its own, so that a stop is seen while a server keeps silent.
    fn fetch(
        &self,
        url: &Url,
        mut into: File,
        most: u64,
        tick: &mut dyn FnMut(u64) -> Result<(), crate::RuntimeError>,
    ) -> Result<File, Failure> {
        let failed = |reason: String| Failure::Other(format!("{}: {reason}", url.host));
        let so_far = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (counter, stopped) = (so_far.clone(), stop.clone());
        let client = Self {
            agent: self.agent.clone(),
            host: self.host.clone(),
            authorization: self.authorization.clone(),
        };
        let asked = url.clone();
        let worker = std::thread::spawn(move || -> Result<File, String> {
            let body = client.ask(&asked)?;
            let mut reader = body
                .into_with_config()
                .limit(u64::MAX)
                .reader()
                .take(most + 1);
            let mut buffer = vec![0; 1 << 16];
            loop {
                match reader
                    .read(&mut buffer)
                    .map_err(|error| error.to_string())?
                {
                    _ if stopped.load(Ordering::Relaxed) => return Err("stopped".to_owned()),
                    0 => return Ok(into),
                    n => {
                        into.write_all(&buffer[..n])
                            .map_err(|error| error.to_string())?;
                        let sum = counter.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
                        if sum > most {
                            return Err(format!("it sends more than {most} bytes"));
                        }
                    }
                }
            }
        });
        let mut last = (0, Instant::now());
        while !worker.is_finished() {
            let bytes = so_far.load(Ordering::Relaxed);
            if bytes != last.0 {
                last = (bytes, Instant::now());
            }
            let outcome = tick(bytes);
            if outcome.is_err() || last.1.elapsed() > PATIENCE {
                stop.store(true, Ordering::Relaxed);
                outcome?;
                return Err(failed(format!("nothing came for {} s", PATIENCE.as_secs())));
            }
            std::thread::sleep(TICK);
        }
        match worker.join() {
            Ok(outcome) => outcome.map_err(failed),
            Err(_) => Err(failed("the download failed".to_owned())),
        }
    }
}

/// The header for `name:password` of an address (RFC 7617).
fn basic(user: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut plain = Vec::new();
    let mut rest = user.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                plain.push(decoded);
                rest = &after[2..];
            }
            _ => {
                plain.push(byte);
                rest = after;
            }
        }
    }
    let mut text = String::from("Basic ");
    for three in plain.chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = (bits >> (18 - 6 * at)) & 63;
            let is_there = at <= three.len();
            text.push(if is_there {
                char::from(LETTERS[letter as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_and_others_refused() {
        let url = |text: &str| Url::parse(text).unwrap();
        let index = url("https://me:s%40cret@a.invalid:8443/mirror/simple/");
        assert_eq!(index.host, "a.invalid:8443");
        assert_eq!(index.path_without_slash(), "/mirror/simple");
        let project = index.join(&format!("{}/onnxruntime/", index.path_without_slash()));
        assert_eq!(
            project.address(),
            "https://a.invalid:8443/mirror/simple/onnxruntime/"
        );
        for (link, address) in [
            (
                "../../f/x.whl#sha256=0",
                "https://a.invalid:8443/mirror/f/x.whl",
            ),
            (
                "x.whl?a=/b",
                "https://a.invalid:8443/mirror/simple/onnxruntime/x.whl?a=/b",
            ),
            ("/f/x.whl", "https://a.invalid:8443/f/x.whl"),
            ("//b.invalid/x.whl", "https://b.invalid/x.whl"),
            ("https://b.invalid/x.whl", "https://b.invalid/x.whl"),
            ("../../../../../x.whl", "https://a.invalid:8443/x.whl"),
        ] {
            assert_eq!(project.join(link).address(), address, "{link}");
        }
        assert!(
            project
                .join("http://b.invalid/x")
                .address()
                .starts_with("://")
        );
        for refused in [
            "",
            "a.invalid",
            "http://a.invalid/simple",
            "file:///etc",
            "https:///x",
        ] {
            assert!(Url::parse(refused).is_err(), "{refused}");
        }
        assert!(url("http://localhost:3141/simple").is_local());
    }

    #[test]
    fn passwords_are_encoded_as_the_rfc_says() {
        assert_eq!(
            basic("Aladdin:open%20sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("a:%"), "Basic YTol");
    }
}
