using System;
using System.Runtime.InteropServices;
using System.Text;
using Kinograd.Native;

namespace Kinograd
{
    /// <summary>What is differentiated. A new one is the default: the first output that holds floats by the first input that does.</summary>
    public sealed class OnnxGradientOptions
    {
        /// <summary>Names of the inputs to differentiate by; null or none for the first that holds floats.</summary>
        public string[] Inputs { get; set; }

        /// <summary>Names of the outputs to differentiate; null or none for the first that holds floats.</summary>
        public string[] Outputs { get; set; }

        /// <summary>Two graphs, <c>NAME-forward.onnx</c> and <c>NAME-backward.onnx</c>, in place of one.</summary>
        public bool Split { get; set; }

        /// <summary>Gradients by all weights, too.</summary>
        public bool Weights { get; set; }
    }

    /// <summary>Gradients of ONNX models as ONNX models.</summary>
    public static unsafe class OnnxGradient
    {
        /// <summary>Reads an ONNX file and writes v ↦ Jᵀv of it as an ONNX file, for any engine to run.</summary>
        /// <param name="model">The file to read.</param>
        /// <param name="path">The file to write.</param>
        /// <param name="options">What is differentiated; null is the default.</param>
        /// <returns>What was written, as JSON: files, names of the inputs that take cotangents and of the outputs that are gradients.</returns>
        /// <exception cref="KinogradException">The network cannot be read or differentiated; the message names the node.</exception>
        public static string Write(string model, string path, OnnxGradientOptions options = null)
        {
            Call.Ready();
            OnnxGradientOptions asked = options ?? new OnnxGradientOptions();
            byte[] modelText = Utf8.Bytes(model, "model");
            byte[] pathText = Utf8.Bytes(path, "path");
            kg_blob* report = null;
            using (Names inputs = new Names(asked.Inputs, "Inputs"))
            using (Names outputs = new Names(asked.Outputs, "Outputs"))
            {
                fixed (byte* atModel = modelText, atPath = pathText)
                fixed (IntPtr* atInputs = inputs.All, atOutputs = outputs.All)
                {
                    kg_gradient_options c = new kg_gradient_options
                    {
                        struct_size = (uint)sizeof(kg_gradient_options),
                        split = asked.Split ? 1u : 0u,
                        weights = asked.Weights ? 1u : 0u,
                        input_count = (uint)inputs.All.Length,
                        output_count = (uint)outputs.All.Length,
                        inputs = (byte**)atInputs,
                        outputs = (byte**)atOutputs,
                    };
                    Call.Check(NativeMethods.kg_gradient_write(atModel, atPath, &c, &report));
                }
            }
            return Encoding.UTF8.GetString(Call.Bytes(report));
        }

        /// <summary>An array of texts that stay where they are.</summary>
        private sealed class Names : IDisposable
        {
            internal readonly IntPtr[] All;
            private readonly GCHandle[] pinned;

            internal Names(string[] names, string name)
            {
                int count = names == null ? 0 : names.Length;
                byte[][] texts = new byte[count][];
                for (int index = 0; index < count; index++)
                {
                    texts[index] = Utf8.Bytes(names[index], name);
                }
                All = new IntPtr[count];
                pinned = new GCHandle[count];
                for (int index = 0; index < count; index++)
                {
                    pinned[index] = GCHandle.Alloc(texts[index], GCHandleType.Pinned);
                    All[index] = pinned[index].AddrOfPinnedObject();
                }
            }

            public void Dispose()
            {
                foreach (GCHandle one in pinned)
                {
                    one.Free();
                }
            }
        }
    }
}
