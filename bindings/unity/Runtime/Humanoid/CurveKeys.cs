using System;
using System.Collections.Generic;

namespace Kinograd.Humanoid
{
    /// <summary>A key of a curve, smooth on both sides.</summary>
    public struct CurveKey
    {
        /// <summary>Seconds from the start of the clip.</summary>
        public float TimeSecs;

        /// <summary>The value there, in the curve's unit.</summary>
        public float Value;

        /// <summary>The slope there, the curve's unit per second.</summary>
        public float Slope;
    }

    /// <summary>Curves with as few keys as their shape needs.</summary>
    public static class CurveKeys
    {
        /// <summary>
        /// Keys of a curve that goes through samples at even times. Between two keys it is the cubic of their values
        /// and slopes, as Unity's curves are; it is nowhere farther from a sample than the tolerance.
        /// </summary>
        /// <param name="samples">Values, one for each frame.</param>
        /// <param name="fps">Frames per second.</param>
        /// <param name="tolerance">Largest distance from a sample, in the curve's unit; 0 keeps every sample that matters.</param>
        /// <returns>Keys in order of time; the first and the last sample are among them.</returns>
        public static CurveKey[] Reduce(float[] samples, double fps, float tolerance)
        {
            if (samples.Length == 0)
            {
                return new CurveKey[0];
            }
            if (!(fps > 0) || double.IsInfinity(fps))
            {
                throw new ArgumentOutOfRangeException("fps", fps, "a positive number was expected");
            }
            if (!(tolerance >= 0))
            {
                throw new ArgumentOutOfRangeException("tolerance", tolerance, "a number of at least 0 was expected");
            }
            double[] slopes = Slopes(samples);
            bool[] kept = new bool[samples.Length];
            kept[0] = true;
            kept[samples.Length - 1] = true;
            Stack<int[]> open = new Stack<int[]>();
            open.Push(new[] { 0, samples.Length - 1 });
            while (open.Count > 0)
            {
                int[] span = open.Pop();
                int worst = Worst(samples, slopes, span[0], span[1], tolerance);
                if (worst > 0)
                {
                    kept[worst] = true;
                    open.Push(new[] { span[0], worst });
                    open.Push(new[] { worst, span[1] });
                }
            }
            List<CurveKey> keys = new List<CurveKey>();
            for (int frame = 0; frame < samples.Length; frame++)
            {
                if (kept[frame])
                {
                    keys.Add(new CurveKey
                    {
                        TimeSecs = (float)(frame / fps),
                        Value = samples[frame],
                        Slope = (float)(slopes[frame] * fps),
                    });
                }
            }
            return keys.ToArray();
        }

        /// <summary>The value of a curve at a time, as Unity evaluates it.</summary>
        /// <param name="keys">Keys in order of time, at least one.</param>
        /// <param name="timeSecs">Seconds; before the first key its value, after the last its.</param>
        /// <returns>The value, in the curve's unit.</returns>
        public static float Evaluate(CurveKey[] keys, double timeSecs)
        {
            if (timeSecs <= keys[0].TimeSecs)
            {
                return keys[0].Value;
            }
            for (int index = 1; index < keys.Length; index++)
            {
                CurveKey from = keys[index - 1];
                CurveKey to = keys[index];
                if (timeSecs <= to.TimeSecs)
                {
                    double length = (double)to.TimeSecs - from.TimeSecs;
                    double part = (timeSecs - from.TimeSecs) / length;
                    return (float)Cubic(from.Value, from.Slope * length, to.Value, to.Slope * length, part);
                }
            }
            return keys[keys.Length - 1].Value;
        }

        // Per frame: parabolas through three neighbours, at the ends as within.
        private static double[] Slopes(float[] samples)
        {
            int count = samples.Length;
            double[] slopes = new double[count];
            for (int frame = 1; frame < count - 1; frame++)
            {
                slopes[frame] = ((double)samples[frame + 1] - samples[frame - 1]) / 2;
            }
            if (count == 2)
            {
                slopes[0] = (double)samples[1] - samples[0];
                slopes[1] = slopes[0];
            }
            else if (count > 2)
            {
                slopes[0] = 2.0 * samples[1] - 1.5 * samples[0] - 0.5 * samples[2];
                slopes[count - 1] =
                    1.5 * samples[count - 1] - 2.0 * samples[count - 2] + 0.5 * samples[count - 3];
            }
            return slopes;
        }

        // The frame that is farthest from the cubic between two, or -1 where none is too far.
        private static int Worst(float[] samples, double[] slopes, int from, int to, float tolerance)
        {
            int worst = -1;
            double most = tolerance;
            double length = to - from;
            for (int frame = from + 1; frame < to; frame++)
            {
                double value = Cubic(
                    samples[from], slopes[from] * length, samples[to], slopes[to] * length, (frame - from) / length);
                double distance = Math.Abs(value - samples[frame]);
                if (distance > most)
                {
                    most = distance;
                    worst = frame;
                }
            }
            return worst;
        }

        private static double Cubic(double from, double fromSlope, double to, double toSlope, double part)
        {
            double two = part * part;
            double three = two * part;
            return (2 * three - 3 * two + 1) * from + (three - 2 * two + part) * fromSlope
                + (3 * two - 2 * three) * to + (three - two) * toSlope;
        }
    }

    /// <summary>Unity's muscles of a humanoid.</summary>
    public static class Muscles
    {
        private static readonly string[] NotOurs =
        {
            "Eye", "Jaw", "Thumb", "Index", "Middle", "Ring", "Little",
        };

        /// <summary>Whether our body moves a muscle: it has no eyes, no jaw and no fingers.</summary>
        /// <param name="name">A name of HumanTrait.MuscleName.</param>
        /// <returns>Whether a clip of ours says anything of it.</returns>
        public static bool IsMoved(string name)
        {
            foreach (string word in NotOurs)
            {
                if (name.IndexOf(word, StringComparison.Ordinal) >= 0)
                {
                    return false;
                }
            }
            return true;
        }
    }
}
