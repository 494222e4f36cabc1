//! A server with a source of clips that needs no model, and a client of a few lines.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kinograd::motion::synth::synth_walk;
use kinograd::motion::{Provenance, resample::resample};
use kinograd::{Clip, Error, Event, Observer};
use kinograd_server::{ClipSource, Config, Figure, ModelInfo, Plan, Server, Token};
use serde_json::{Value, json};

/// What a walker counts.
#[derive(Clone, Default)]
pub struct Counts {
    pub begun: Arc<AtomicUsize>,
    pub stopped: Arc<AtomicUsize>,
}

/// Makes a walk of every plan; a prompt says how slowly, or that it fails.
pub struct Walker {
    pub counts: Counts,
}

impl ClipSource for Walker {
    fn info(&self) -> ModelInfo {
        ModelInfo {
            id: "walker".to_owned(),
            fps: 20.0,
            min_frames: 20,
            max_frames: 200,
        }
    }

    fn make(&mut self, plan: &Plan, observer: &mut dyn Observer) -> Result<Vec<Clip>, Error> {
        self.counts.begun.fetch_add(1, Ordering::SeqCst);
        let prompt = plan.task.prompts[0].text.as_str();
        assert!(prompt != "panic", "asked to");
        if prompt == "fail" {
            return Err(Error::Internal("asked to".to_owned()));
        }
        // Steps of 10 ms, until it is stopped.
        let steps = if prompt == "slow" { 3_000 } else { 1 };
        let started = Event::Started {
            work: "walking",
            total: steps,
        };
        let _ = observer.event(&started);
        for done in 1..=steps {
            if observer.event(&Event::Advanced { done }) == ControlFlow::Break(()) {
                self.counts.stopped.fetch_add(1, Ordering::SeqCst);
                return Err(Error::Cancelled);
            }
            if steps > 1 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        let walk = synth_walk(1.2, plan.task.duration_secs, 20.0);
        let walk = resample(&walk, plan.fps)?;
        let clip = Clip::new(walk, Provenance::new());
        let clips = (0..plan.task.sampling.count).map(|_| clip.clone());
        clips
            .map(|clip| match &plan.figure {
                Figure::Rig(character) => clip.on_character(character, &Default::default()),
                _ => Ok(clip),
            })
            .collect()
    }
}

/// A server of a walker on a free port.
pub fn walker(change: impl FnOnce(&mut Config)) -> (Server, Counts) {
    let mut config = Config::new("127.0.0.1:0".parse().unwrap(), None).unwrap();
    change(&mut config);
    let counts = Counts::default();
    let own = counts.clone();
    let server = Server::start(config, move || {
        Ok(Walker {
            counts: own.clone(),
        })
    })
    .unwrap();
    (server, counts)
}

/// A server that asks for a token.
pub fn guarded(secret: &str) -> Server {
    walker(|config| config.token = Some(Token::new(secret).unwrap())).0
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1);
        let mut fields = lines.filter_map(|line| line.split_once(':'));
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }
}

/// Sends bytes as they are and reads all that comes until the other side closes.
pub fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = connect(address);
    stream.write_all(request).unwrap();
    answer(&mut stream)
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

pub fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head,
        body: bytes[end + 4..].to_vec(),
    }
}

/// A request, with its head's further lines.
pub fn message(address: SocketAddr, line: &str, further: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for field in further {
        head.push_str(field);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

pub fn get(address: SocketAddr, path: &str) -> Answer {
    raw(address, &message(address, &format!("GET {path}"), &[], b""))
}

pub fn post(address: SocketAddr, further: &[&str], body: &Value) -> Answer {
    let mut fields = vec!["Content-Type: application/json"];
    fields.extend_from_slice(further);
    let body = body.to_string();
    raw(
        address,
        &message(address, "POST /generate", &fields, body.as_bytes()),
    )
}

/// The smallest request: two seconds of a prompt on the canonical skeleton.
pub fn request(address: SocketAddr, prompt: &str) -> Value {
    let capabilities = get(address, "/capabilities").json();
    let model = &capabilities["models"][0];
    json!({
        "protocol_version": "1.0",
        "model": model["id"],
        "skeleton": model["canonical_skeleton"],
        "segments": [{"type": "text", "prompt": prompt, "duration_frames": 40}],
    })
}

/// World positions of all joints of a sample, `[frame][joint]`, and the joints' names, computed from
/// the glTF alone.
pub fn positions(gltf: &Value, sample: usize) -> (Vec<String>, Vec<Vec<[f64; 3]>>) {
    use glam::{DQuat, DVec3};
    let uri = gltf["buffers"][0]["uri"].as_str().unwrap();
    let bytes = decode_base64(uri.split_once(',').unwrap().1);
    let rows = |accessor: &Value, width: usize| -> Vec<Vec<f64>> {
        let accessor = &gltf["accessors"][accessor.as_u64().unwrap() as usize];
        let view = &gltf["bufferViews"][accessor["bufferView"].as_u64().unwrap() as usize];
        let from = view["byteOffset"].as_u64().unwrap() as usize;
        let count = accessor["count"].as_u64().unwrap() as usize;
        let numbers = bytes[from..from + count * width * 4].chunks_exact(4);
        let numbers: Vec<f64> = numbers
            .map(|four| f32::from_le_bytes(four.try_into().unwrap()).into())
            .collect();
        numbers.chunks_exact(width).map(<[f64]>::to_vec).collect()
    };
    let nodes = gltf["nodes"].as_array().unwrap();
    let animation = &gltf["animations"][sample];
    let mut turns = vec![Vec::new(); nodes.len()];
    let mut roots = Vec::new();
    for channel in animation["channels"].as_array().unwrap() {
        let sampler = &animation["samplers"][channel["sampler"].as_u64().unwrap() as usize];
        let node = channel["target"]["node"].as_u64().unwrap() as usize;
        match channel["target"]["path"].as_str().unwrap() {
            "rotation" => turns[node] = rows(&sampler["output"], 4),
            _ => roots = rows(&sampler["output"], 3),
        }
    }
    let names = nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned());
    let mut frames = Vec::new();
    for frame in 0..roots.len() {
        let mut places = vec![DVec3::ZERO; nodes.len()];
        let mut stack = vec![(0, DQuat::IDENTITY, DVec3::ZERO)];
        while let Some((node, above, from)) = stack.pop() {
            let vector =
                |value: &Value| DVec3::from_array([0, 1, 2].map(|i| value[i].as_f64().unwrap()));
            places[node] = if node == 0 {
                DVec3::from_slice(&roots[frame])
            } else {
                from + above * vector(&nodes[node]["translation"])
            };
            let turn = above * DQuat::from_slice(&turns[node][frame]);
            for child in nodes[node]["children"].as_array().into_iter().flatten() {
                stack.push((child.as_u64().unwrap() as usize, turn, places[node]));
            }
        }
        frames.push(places.iter().map(DVec3::to_array).collect());
    }
    (names.collect(), frames)
}

fn decode_base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}
