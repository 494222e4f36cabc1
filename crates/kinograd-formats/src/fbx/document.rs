//! What every FBX file says of itself: header, axes, unit, rate, and which objects it holds.

use std::collections::BTreeMap;

use super::node::{CREATION_TIME, FILE_ID, Node, VERSION, Value};

/// Ticks of FBX's clock in a second.
pub(super) const TICKS_PER_SECOND: f64 = 46_186_158_000.0;
/// The property of the scene's information that holds the record of how a clip came to be.
pub(super) const RECORD_PROPERTY: &str = "kinograd_record";
const GENERATOR: &str = concat!("Kinograd ", env!("CARGO_PKG_VERSION"));

/// A typed property, as lists of properties hold them.
pub(super) fn property(
    name: &str,
    kind: [&str; 2],
    flags: &str,
    values: impl IntoIterator<Item = Value>,
) -> Node {
    let node = [name, kind[0], kind[1], flags]
        .into_iter()
        .fold(Node::new("P"), Node::value);
    values.into_iter().fold(node, Node::value)
}

pub(super) fn properties(list: impl IntoIterator<Item = Node>) -> Node {
    Node::new("Properties70").children(list)
}

pub(super) fn int(name: &str, value: i32) -> Node {
    property(name, ["int", "Integer"], "", [value.into()])
}

pub(super) fn double(name: &str, value: f64) -> Node {
    property(name, ["double", "Number"], "", [value.into()])
}

pub(super) fn text(name: &str, value: &str) -> Node {
    property(name, ["KString", ""], "", [value.into()])
}

pub(super) fn time(name: &str, ticks: i64) -> Node {
    property(name, ["KTime", "Time"], "", [ticks.into()])
}

/// Ticks of a frame.
pub(super) fn ticks(frame: usize, fps: f64) -> i64 {
    (frame as f64 / fps * TICKS_PER_SECOND).round() as i64
}

/// All that comes before the objects. `record`: JSON.
pub(super) fn opening(record: &str) -> Vec<Node> {
    let stamp = [
        ("Version", 1000),
        ("Year", 1970),
        ("Month", 1),
        ("Day", 1),
        ("Hour", 10),
        ("Minute", 0),
        ("Second", 0),
        ("Millisecond", 0),
    ];
    let header = Node::new("FBXHeaderExtension")
        .child(Node::of("FBXHeaderVersion", 1003))
        .child(Node::of("FBXVersion", VERSION as i32))
        .child(Node::of("EncryptionType", 0))
        .child(
            Node::new("CreationTimeStamp")
                .children(stamp.map(|(name, value)| Node::of(name, value))),
        )
        .child(Node::of("Creator", GENERATOR))
        .child(scene_info(record));
    vec![
        header,
        Node::of("FileId", Value::Bytes(FILE_ID.to_vec())),
        Node::of("CreationTime", CREATION_TIME),
        Node::of("Creator", GENERATOR),
    ]
}

fn scene_info(record: &str) -> Node {
    let meta = [
        "Title", "Subject", "Author", "Keywords", "Revision", "Comment",
    ];
    let compound = |name: &str| property(name, ["Compound", ""], "", []);
    let application = |of: &str| {
        [
            text(&format!("{of}|ApplicationVendor"), "Kinograd"),
            text(&format!("{of}|ApplicationName"), "Kinograd"),
            text(
                &format!("{of}|ApplicationVersion"),
                env!("CARGO_PKG_VERSION"),
            ),
        ]
    };
    Node::of("SceneInfo", "GlobalInfo\0\u{1}SceneInfo")
        .value("UserData")
        .child(Node::of("Type", "UserData"))
        .child(Node::of("Version", 100))
        .child(
            Node::new("MetaData")
                .child(Node::of("Version", 100))
                .children(meta.map(|name| Node::of(name, ""))),
        )
        .child(properties(
            std::iter::once(compound("Original"))
                .chain(application("Original"))
                .chain([compound("LastSaved")])
                .chain(application("LastSaved"))
                .chain([property(
                    RECORD_PROPERTY,
                    ["KString", ""],
                    "U",
                    [record.into()],
                )]),
        ))
}

/// Axes, unit and rate: Y up, facing +Z, centimetres, as Maya, Unity and Unreal expect.
pub(super) fn global_settings(fps: f64, last_frame: usize) -> Node {
    let (mode, custom) = time_mode(fps);
    let enumeration = |name: &str, value: i32| property(name, ["enum", ""], "", [value.into()]);
    Node::new("GlobalSettings")
        .child(Node::of("Version", 1000))
        .child(properties([
            int("UpAxis", 1),
            int("UpAxisSign", 1),
            int("FrontAxis", 2),
            int("FrontAxisSign", 1),
            int("CoordAxis", 0),
            int("CoordAxisSign", 1),
            int("OriginalUpAxis", 1),
            int("OriginalUpAxisSign", 1),
            double("UnitScaleFactor", 1.0),
            double("OriginalUnitScaleFactor", 1.0),
            enumeration("TimeMode", mode),
            time("TimeSpanStart", 0),
            time("TimeSpanStop", ticks(last_frame, fps)),
            double("CustomFrameRate", custom),
        ]))
}

/// The SDK's `FbxTime::EMode` of a rate, and the rate where it has none of its own.
fn time_mode(fps: f64) -> (i32, f64) {
    const MODES: [(f64, i32); 14] = [
        (120.0, 1),
        (100.0, 2),
        (60.0, 3),
        (50.0, 4),
        (48.0, 5),
        (30.0, 6),
        (30_000.0 / 1001.0, 9),
        (25.0, 10),
        (24.0, 11),
        (1000.0, 12),
        (24_000.0 / 1001.0, 13),
        (96.0, 15),
        (72.0, 16),
        (60_000.0 / 1001.0, 17),
    ];
    MODES
        .into_iter()
        .find(|(rate, _)| (fps - rate).abs() < 1e-6 * rate)
        .map_or((14, fps), |(_, mode)| (mode, -1.0))
}

/// The one document and its root.
pub(super) fn documents(id: i64, animation: &str) -> [Node; 2] {
    [
        Node::new("Documents").child(Node::of("Count", 1)).child(
            Node::of("Document", id)
                .value("")
                .value("Scene")
                .child(properties([
                    property("SourceObject", ["object", ""], "", []),
                    text("ActiveAnimStackName", animation),
                ]))
                .child(Node::of("RootNode", 0_i64)),
        ),
        Node::new("References"),
    ]
}

/// How many objects there are of each class.
pub(super) fn definitions(counts: &BTreeMap<&'static str, i32>) -> Node {
    let total: i32 = counts.values().sum();
    let kind = |(&name, &count): (&&'static str, &i32)| {
        Node::of("ObjectType", name).child(Node::of("Count", count))
    };
    Node::new("Definitions")
        .child(Node::of("Version", 100))
        .child(Node::of("Count", total + 1))
        .child(Node::of("ObjectType", "GlobalSettings").child(Node::of("Count", 1)))
        .children(counts.iter().map(kind))
}

/// The list of takes, which readers of older versions look at.
pub(super) fn takes(animation: &str, last_ticks: i64) -> Node {
    let span = |name| Node::of(name, 0_i64).value(last_ticks);
    Node::new("Takes")
        .child(Node::of("Current", animation))
        .child(
            Node::of("Take", animation)
                .child(Node::of("FileName", format!("{animation}.tak")))
                .child(span("LocalTime"))
                .child(span("ReferenceTime")),
        )
}
