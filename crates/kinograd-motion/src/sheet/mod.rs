//! Clips as pictures of figures on a ground: contact sheets, films, views from above.

mod camera;
mod canvas;
mod figure;
mod film;
mod scene;
mod text;

use std::path::Path;

use glam::{DVec2, DVec3};
use ndarray::Array3;
use tiny_skia::{Pixmap, PixmapPaint, Transform};

pub use self::film::{Film, View};
pub use self::text::glyph;

use self::camera::Camera;
use self::canvas::{Canvas, Ink};
use crate::{JOINTS, MotionError, write_atomic};

const PAPER: Ink = Ink::hex(0xf6f7fa);
const SKY: Ink = Ink::hex(0xe9eef6);
const SHADOW: Ink = Ink(0.16, 0.2, 0.3, 0.17);
const TEXT: Ink = Ink::hex(0x3d4655);
/// Longest side of a sheet, pixels.
const MAX_SIDE_PX: u32 = 16_384;
/// Clips that move less than this are laid out in time, side by side, metres.
const IN_PLACE_M: f64 = 1.2;

/// A clip to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetClip {
    /// A line of text above the picture; may be empty.
    pub title: String,
    /// Joints of the canonical skeleton, `[frames, 22, 3]`, metres, Y up.
    pub joints: Array3<f32>,
    /// Frames per second.
    pub fps: f64,
}

/// What is on the ground, metres, (x, z).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SceneMarks {
    /// Where the clip should end.
    pub target_m: Option<[f64; 2]>,
    /// Where it should pass.
    pub waypoints_m: Vec<[f64; 2]>,
    /// What it should go round: x, z and radius.
    pub obstacles_m: Vec<[f64; 3]>,
    /// Places for joints: x, y, z.
    pub places_m: Vec<[f64; 3]>,
    /// Lines on the ground: ways to walk, or others walk.
    pub lines_m: Vec<Vec<[f64; 2]>>,
    /// Upright shapes and areas.
    pub prisms: Vec<Prism>,
    /// Beams and balls.
    pub rods: Vec<Rod>,
}

/// An outline on the ground and what stands on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prism {
    /// Corners (x, z), metres.
    pub corners_m: Vec<[f64; 2]>,
    /// Lower and upper height, metres; equal for an area.
    pub heights_m: [f64; 2],
    /// Whether to stay within rather than outside.
    pub keep_in: bool,
}

/// All points near a line; a ball where its ends are one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rod {
    /// Both ends (x, y, z), metres.
    pub ends_m: [[f64; 3]; 2],
    /// Radius, metres.
    pub radius_m: f64,
    /// Whether to stay within rather than outside.
    pub keep_in: bool,
}

/// A picture with eight bits each of red, green, blue and alpha.
#[derive(Debug, Clone, PartialEq)]
pub struct RgbaPixmap(Pixmap);

impl RgbaPixmap {
    /// Width, pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// Height, pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Rows from the top, four bytes a pixel; sheets are opaque.
    #[must_use]
    pub fn rgba(&self) -> &[u8] {
        self.0.data()
    }

    /// Writes the picture as a PNG, whole or not at all.
    ///
    /// # Errors
    /// [`MotionError::Io`] with the path; [`MotionError::Format`] where it cannot be encoded.
    pub fn write_png(&self, path: &Path) -> Result<(), MotionError> {
        let bytes = self.0.encode_png().map_err(|error| MotionError::Format {
            format: "PNG",
            message: error.to_string(),
        })?;
        write_atomic(path, |file| std::io::Write::write_all(file, &bytes))
    }
}

/// Draws clips on one sheet of `size_px` (width, height): for each a picture of the whole way with
/// poses along it (a clip in place is laid out in time from left to right), the marks, and below
/// it a row of close-ups with their times. Left limbs are blue, right ones orange; earlier poses
/// are paler.
///
/// ```
/// use kinograd_motion::sheet::{SceneMarks, SheetClip, render_sheet};
/// use kinograd_motion::{joints_array, synth::synth_walk};
/// let joints = joints_array(&synth_walk(1.2, 2.0, 20.0));
/// let clip = SheetClip { title: "a walk".to_owned(), joints, fps: 20.0 };
/// let marks = SceneMarks { target_m: Some([0.0, 2.4]), ..SceneMarks::default() };
/// let sheet = render_sheet(&[clip], &marks, (320, 200))?;
/// assert_eq!((sheet.width(), sheet.height()), (320, 200));
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Shape`] for joints of another shape or no frames, [`MotionError::Clip`] for
/// joints or marks that are not finite, [`MotionError::Format`] for no clips or a size out of
/// 64..=16384.
pub fn render_sheet(
    clips: &[SheetClip],
    marks: &SceneMarks,
    size_px: (u32, u32),
) -> Result<RgbaPixmap, MotionError> {
    check(clips, marks)?;
    let mut sheet = pixmap(size_px.0, size_px.1)?;
    sheet.fill(PAPER.color());
    let columns = (1..)
        .find(|c| c * c >= clips.len())
        .unwrap_or(1)
        .min(clips.len());
    let rows = clips.len().div_ceil(columns);
    let gap = (f64::from(size_px.0) / 200.0).clamp(2.0, 12.0).round();
    let cell = |count: usize, side: u32| {
        ((f64::from(side) - gap) / count as f64 - gap)
            .floor()
            .max(1.0)
    };
    let (width, height) = (cell(columns, size_px.0), cell(rows, size_px.1));
    for (index, clip) in clips.iter().enumerate() {
        let panel = clip_panel(clip, marks, width as u32, height as u32)?;
        let at = |place: usize, side: f64| (gap + place as f64 * (side + gap)) as i32;
        sheet.draw_pixmap(
            at(index % columns, width),
            at(index / columns, height),
            panel.as_ref(),
            &PixmapPaint::default(),
            Transform::identity(),
            None,
        );
    }
    Ok(RgbaPixmap(sheet))
}

fn check(clips: &[SheetClip], marks: &SceneMarks) -> Result<(), MotionError> {
    if clips.is_empty() {
        return Err(sheet_error("no clips to draw".to_owned()));
    }
    for clip in clips {
        let (frames, joints, axes) = clip.joints.dim();
        if frames == 0 || joints != JOINTS || axes != 3 {
            return Err(MotionError::Shape {
                what: "joints",
                expected: format!("[1 or more, {JOINTS}, 3]"),
                got: clip.joints.shape().to_vec(),
            });
        }
        // Beyond a kilometre nothing could be seen, and pixels would overflow.
        let near = clip.joints.iter().all(|v| v.abs() < 1e3);
        if !(near && clip.fps.is_finite() && clip.fps > 0.0) {
            return Err(MotionError::Clip {
                clip: clip.title.clone(),
                message: "its joints or its frame rate are not finite, or beyond 1 km".to_owned(),
            });
        }
    }
    let prisms = marks.prisms.iter();
    let prisms = prisms.flat_map(|p| p.corners_m.iter().flatten().chain(&p.heights_m));
    let rods = marks.rods.iter();
    let rods = rods.flat_map(|r| r.ends_m.iter().flatten().chain([&r.radius_m]));
    let mut numbers = marks
        .target_m
        .iter()
        .chain(&marks.waypoints_m)
        .chain(marks.lines_m.iter().flatten())
        .flatten()
        .chain(marks.obstacles_m.iter().chain(&marks.places_m).flatten())
        .chain(prisms)
        .chain(rods);
    if !numbers.all(|v| v.abs() < 1e3) {
        return Err(sheet_error(
            "marks that are not finite, or beyond 1 km".to_owned(),
        ));
    }
    Ok(())
}

fn pixmap(width: u32, height: u32) -> Result<Pixmap, MotionError> {
    let fits = |side: u32| (16..=MAX_SIDE_PX).contains(&side);
    (fits(width) && fits(height))
        .then(|| Pixmap::new(width, height))
        .flatten()
        .ok_or_else(|| {
            sheet_error(format!(
                "{width} × {height} pixels; 64 to {MAX_SIDE_PX} fit"
            ))
        })
}

fn sheet_error(message: String) -> MotionError {
    MotionError::Format {
        format: "contact sheet",
        message,
    }
}

fn poses(clip: &SheetClip) -> Vec<Vec<DVec3>> {
    let joints = &clip.joints;
    let point = |f: usize, j: usize| {
        DVec3::from_array(std::array::from_fn(|axis| f64::from(joints[[f, j, axis]])))
    };
    (0..joints.dim().0)
        .map(|f| (0..JOINTS).map(|j| point(f, j)).collect())
        .collect()
}

/// Frames spread evenly over the clip, both ends included.
fn spread(frames: usize, count: usize) -> Vec<usize> {
    let count = count.clamp(1, frames);
    (0..count)
        .map(|i| {
            if count == 1 {
                0
            } else {
                (i * (frames - 1) + (count - 1) / 2) / (count - 1)
            }
        })
        .collect()
}

fn clip_panel(
    clip: &SheetClip,
    marks: &SceneMarks,
    width: u32,
    height: u32,
) -> Result<Pixmap, MotionError> {
    let mut panel = pixmap(width, height)?;
    let (w, h) = (f64::from(width), f64::from(height));
    let close_ups = (0.26 * h).min(0.16 * w).floor().max(16.0);
    let all = poses(clip);
    let mut canvas = Canvas(&mut panel);
    for row in 0..height {
        let share = f64::from(row) / h;
        canvas.rect(0.0, f64::from(row), w, 1.0, SKY.towards(PAPER, share));
    }
    let scale = (w / 480.0).clamp(1.0, 3.0).floor();
    let title = if clip.title.is_empty() {
        0.0
    } else {
        12.0 * scale
    };
    let towards_eye = viewpoint(&all);
    let top = pixmap(width, ((h - close_ups - title).max(16.0)) as u32)?;
    let way = way_picture(top, &all, marks, towards_eye);
    let paint = PixmapPaint::default();
    let place = Transform::identity();
    canvas
        .0
        .draw_pixmap(0, title as i32, way.as_ref(), &paint, place, None);
    let count = ((w / (0.72 * close_ups)) as usize).clamp(3, 10);
    let slot = w / count as f64;
    let row = (h - close_ups) as i32;
    for (index, frame) in spread(all.len(), count).into_iter().enumerate() {
        let secs = frame as f64 / clip.fps;
        let picture = pixmap((slot - 2.0).max(16.0) as u32, close_ups as u32)?;
        let picture = close_up(picture, &all[frame], towards_eye, secs, scale);
        let left = (index as f64 * slot + 1.0) as i32;
        canvas
            .0
            .draw_pixmap(left, row, picture.as_ref(), &paint, place, None);
    }
    text::label(
        &mut canvas,
        &clip.title,
        (4.0 * scale, 4.0 * scale),
        scale,
        w - 8.0,
        TEXT,
    );
    Ok(panel)
}

/// Which way the camera lies: beside the way, so that it runs from left to right and a little
/// towards the eye; before the figure where it stays in place.
fn viewpoint(all: &[Vec<DVec3>]) -> DVec3 {
    let first = all[0][0];
    let farthest = all
        .iter()
        .map(|pose| (pose[0] - first).with_y(0.0))
        .max_by(|a, b| a.length().total_cmp(&b.length()))
        .unwrap_or(DVec3::ZERO);
    let (front, side, lean) = if farthest.length() > IN_PLACE_M {
        let along = farthest.normalize();
        (along, DVec3::new(-along.z, 0.0, along.x), 0.42)
    } else {
        let middle = &all[all.len() / 2];
        let across = (middle[1] - middle[2]).with_y(0.0).normalize_or(DVec3::X);
        let front = across.cross(DVec3::Y);
        (front, across, 2.0)
    };
    (side + lean * front).normalize() + DVec3::Y * 0.36
}

fn way_picture(
    mut picture: Pixmap,
    all: &[Vec<DVec3>],
    marks: &SceneMarks,
    towards_eye: DVec3,
) -> Pixmap {
    let size = DVec2::new(f64::from(picture.width()), f64::from(picture.height()));
    let in_place = marks.target_m.is_none()
        && all
            .iter()
            .all(|pose| (pose[0] - all[0][0]).with_y(0.0).length() < IN_PLACE_M);
    let count = if in_place { 8 } else { poses_along(all) };
    let right = -towards_eye.cross(DVec3::Y).normalize_or(DVec3::X);
    let frames = spread(all.len(), count);
    let shown: Vec<Vec<DVec3>> = frames
        .iter()
        .enumerate()
        .map(|(index, &frame)| {
            let aside = if in_place {
                right * (0.85 * index as f64)
            } else {
                DVec3::ZERO
            };
            all[frame].iter().map(|&joint| joint + aside).collect()
        })
        .collect();

    let mut points: Vec<DVec3> = shown.iter().flatten().copied().collect();
    points.extend(shown.iter().map(|pose| pose[15] + DVec3::Y * 0.22));
    points.extend(shown.iter().map(|pose| pose[0].with_y(0.0)));
    points.extend(framed_marks(marks));
    let camera = Camera::framing(&points, towards_eye, size, 0.045 * size.y + 4.0);
    let (low, high) = points.iter().fold(
        (DVec3::INFINITY, DVec3::NEG_INFINITY),
        |(low, high), &point| (low.min(point), high.max(point)),
    );

    let mut canvas = Canvas(&mut picture);
    scene::grid(&mut canvas, &camera, low.with_y(0.0), high.with_y(0.0));
    scene::flat_marks(&mut canvas, &camera, marks);
    if !in_place {
        let roots: Vec<DVec3> = all.iter().map(|pose| pose[0]).collect();
        scene::trail(&mut canvas, &camera, &roots);
    }
    for pose in &shown {
        figure::shadow(&mut canvas, &camera, pose, SHADOW);
    }
    let figures: Vec<(&[DVec3], f64)> = shown
        .iter()
        .enumerate()
        .map(|(index, pose)| {
            let age = 1.0 - (index + 1) as f64 / shown.len() as f64;
            (&pose[..], 0.55 * age)
        })
        .collect();
    upright_things(&mut canvas, &camera, &figures, marks);
    picture
}

/// Poses that show a way without standing in one another.
fn poses_along(all: &[Vec<DVec3>]) -> usize {
    let travelled: f64 = all
        .windows(2)
        .map(|pair| (pair[1][0] - pair[0][0]).with_y(0.0).length())
        .sum();
    (travelled / 0.55).round().clamp(4.0, 11.0) as usize
}

/// Points that a picture must hold to show the marks.
fn framed_marks(marks: &SceneMarks) -> Vec<DVec3> {
    let mut points = Vec::new();
    let spots = marks
        .target_m
        .iter()
        .chain(&marks.waypoints_m)
        .map(|&[x, z]| [x, z, 0.3]);
    for [x, z, radius] in spots.chain(marks.obstacles_m.iter().copied()) {
        for (dx, dz) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
            points.push(DVec3::new(x + radius * dx, 0.0, z + radius * dz));
        }
    }
    points.extend(marks.target_m.map(|[x, z]| DVec3::new(x, scene::FLAG_M, z)));
    points.extend(marks.places_m.iter().copied().map(DVec3::from_array));
    let lines = marks.lines_m.iter().flatten();
    points.extend(lines.map(|&[x, z]| DVec3::new(x, 0.0, z)));
    for prism in &marks.prisms {
        let corners = prism.corners_m.iter();
        let heights = prism.heights_m;
        points.extend(corners.flat_map(|&[x, z]| heights.map(|y| DVec3::new(x, y, z))));
    }
    for rod in &marks.rods {
        let ends = rod.ends_m.into_iter().map(DVec3::from_array);
        let radius = DVec3::splat(rod.radius_m);
        points.extend(ends.flat_map(|end| [end - radius, end + radius]));
    }
    points
}

/// Figures with their fading, obstacles and the flag, far ones first.
fn upright_things(
    canvas: &mut Canvas,
    camera: &Camera,
    figures: &[(&[DVec3], f64)],
    marks: &SceneMarks,
) {
    enum Thing<'a> {
        Figure(&'a [DVec3], f64),
        Obstacle([f64; 3]),
        Prism(&'a Prism),
        Rod(&'a Rod),
        Flag([f64; 2]),
    }
    let depth = |x: f64, z: f64| camera.project(DVec3::new(x, 0.0, z)).1;
    let mut things: Vec<(f64, Thing)> = Vec::new();
    for &(pose, fade) in figures {
        things.push((depth(pose[0].x, pose[0].z), Thing::Figure(pose, fade)));
    }
    for &circle in &marks.obstacles_m {
        things.push((depth(circle[0], circle[1]), Thing::Obstacle(circle)));
    }
    for prism in &marks.prisms {
        let count = prism.corners_m.len().max(1) as f64;
        let mean = |axis: usize| prism.corners_m.iter().map(|c| c[axis]).sum::<f64>() / count;
        things.push((depth(mean(0), mean(1)), Thing::Prism(prism)));
    }
    for rod in &marks.rods {
        let [a, b] = rod.ends_m.map(DVec3::from_array);
        let middle = a.midpoint(b);
        things.push((depth(middle.x, middle.z), Thing::Rod(rod)));
    }
    if let Some([x, z]) = marks.target_m {
        // A figure that has arrived stands before the pole.
        things.push((depth(x, z) + 0.3, Thing::Flag([x, z])));
    }
    things.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, thing) in things {
        match thing {
            Thing::Figure(pose, fade) => figure::figure(canvas, camera, pose, fade, PAPER),
            Thing::Obstacle(circle) => scene::obstacle(canvas, camera, circle),
            Thing::Prism(prism) => scene::prism(canvas, camera, prism),
            Thing::Rod(rod) => scene::rod(canvas, camera, rod),
            Thing::Flag(at) => scene::flag(canvas, camera, at),
        }
    }
    for &place in &marks.places_m {
        scene::place(canvas, camera, place);
    }
}

fn close_up(
    mut picture: Pixmap,
    pose: &[DVec3],
    towards_eye: DVec3,
    secs: f64,
    scale: f64,
) -> Pixmap {
    let size = DVec2::new(f64::from(picture.width()), f64::from(picture.height()));
    let centre = pose[0].with_y(0.0);
    // The same box for every pose, so that all are drawn to one scale.
    let (half, tall) = (0.42, pose[15].y.clamp(1.75, 2.6) + 0.1);
    let points: Vec<DVec3> = (0..8)
        .map(|corner| {
            let side = |bit: usize| if corner >> bit & 1 == 1 { half } else { -half };
            centre
                + DVec3::new(
                    side(0),
                    if corner >> 2 & 1 == 1 { tall } else { 0.0 },
                    side(1),
                )
        })
        .collect();
    let camera = Camera::framing(&points, towards_eye, size, 2.0);
    let mut canvas = Canvas(&mut picture);
    canvas.rect(0.0, 0.0, size.x, size.y, Ink::hex(0xffffff).alpha(0.55));
    figure::shadow(&mut canvas, &camera, pose, SHADOW);
    figure::figure(&mut canvas, &camera, pose, 0.0, PAPER);
    let time = format!("{secs:.1} s");
    let x = size.x - text::width_px(&time, scale) - 3.0 * scale;
    text::label(
        &mut canvas,
        &time,
        (x, 3.0 * scale),
        scale,
        size.x,
        TEXT.alpha(0.8),
    );
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joints_array;
    use crate::synth::{SynthWalk, synth_walk};

    fn clip(title: &str) -> SheetClip {
        SheetClip {
            title: title.to_owned(),
            joints: joints_array(&synth_walk(1.2, 3.0, 20.0)),
            fps: 20.0,
        }
    }

    fn count(sheet: &RgbaPixmap, like: impl Fn(u8, u8, u8) -> bool) -> usize {
        sheet
            .rgba()
            .chunks_exact(4)
            .filter(|p| like(p[0], p[1], p[2]))
            .count()
    }

    #[test]
    fn shows_both_sides_the_target_and_the_obstacle() {
        let bare = render_sheet(&[clip("")], &SceneMarks::default(), (640, 420)).unwrap();
        let blue = |r: u8, _: u8, b: u8| b > 150 && r < 110;
        let orange = |r: u8, _: u8, b: u8| r > 180 && b < 120;
        let green = |r: u8, g: u8, b: u8| g > 120 && r < 100 && b < 150;
        assert!(count(&bare, blue) > 500);
        assert!(count(&bare, orange) > 500);
        let marks = SceneMarks {
            target_m: Some([0.5, 4.0]),
            waypoints_m: vec![[0.2, 1.0]],
            obstacles_m: vec![[-0.6, 2.0, 0.4]],
            ..SceneMarks::default()
        };
        let marked = render_sheet(&[clip("TITLE")], &marks, (640, 420)).unwrap();
        assert!(count(&marked, green) > count(&bare, green) + 100);
        assert!(marked.rgba().chunks_exact(4).all(|p| p[3] == 255), "opaque");
        let same = render_sheet(&[clip("TITLE")], &marks, (640, 420)).unwrap();
        assert_eq!(marked, same);
    }

    #[test]
    fn many_clips_short_clips_and_small_sheets() {
        let mut still = clip("one frame");
        still.joints = still.joints.slice_move(ndarray::s![..1, .., ..]);
        let turning = SheetClip {
            joints: joints_array(
                &SynthWalk {
                    turn_rad_per_s: 1.0,
                    ..SynthWalk::default()
                }
                .motion(),
            ),
            ..clip("é – ß")
        };
        let clips = [clip("a"), still, turning, clip("b"), clip("c")];
        render_sheet(&clips, &SceneMarks::default(), (900, 500)).unwrap();
        render_sheet(&clips[..1], &SceneMarks::default(), (64, 64)).unwrap();
    }

    #[test]
    fn refuses_what_it_cannot_draw() {
        let marks = SceneMarks::default();
        assert!(render_sheet(&[], &marks, (640, 400)).is_err());
        assert!(render_sheet(&[clip("")], &marks, (0, 400)).is_err());
        assert!(render_sheet(&[clip("")], &marks, (640, 20_000)).is_err());
        let mut broken = clip("broken");
        broken.joints[[3, 4, 1]] = f32::NAN;
        let error = render_sheet(&[broken], &marks, (640, 400)).unwrap_err();
        assert!(error.to_string().contains("broken"));
        let nowhere = SceneMarks {
            target_m: Some([f64::NAN, 0.0]),
            ..SceneMarks::default()
        };
        assert!(render_sheet(&[clip("")], &nowhere, (640, 400)).is_err());
        let mut empty = clip("");
        empty.joints = Array3::zeros((0, 22, 3));
        assert!(render_sheet(&[empty], &marks, (640, 400)).is_err());
    }

    #[test]
    fn writes_a_png() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let sheet = render_sheet(&[clip("")], &SceneMarks::default(), (200, 120)).unwrap();
        sheet.write_png(&path).unwrap();
        let back = Pixmap::decode_png(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(back.data(), sheet.rgba());
    }
}
