//! Contact sheets.

use glam::{DVec2, DVec3};
use kinograd_motion::MotionError;
use tiny_skia::{Pixmap, PixmapPaint, Transform};

use super::camera::Camera;
use super::canvas::{Canvas, Ink};
use super::clip::{SheetClip, check, poses, poses_along, spread};
use super::marks::SceneMarks;
use super::pixmap::{PAPER, RgbaPixmap, SHADOW, SKY, TEXT, pixmap};
use super::stage::{IN_PLACE_M, framed_marks, upright_things, viewpoint};
use super::{figure, scene, text};

/// Draws clips on one sheet of `size_px` (width, height): for each a picture of the whole way with
/// poses along it (a clip in place is laid out in time from left to right), the marks, and below
/// it a row of close-ups with their times. Left limbs are blue, right ones orange; earlier poses
/// are paler.
///
/// ```
/// use kinograd_draw::sheet::{SceneMarks, SheetClip, render_sheet};
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
    use kinograd_motion::joints_array;
    use kinograd_motion::synth::{SynthWalk, synth_walk};
    use ndarray::Array3;

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
