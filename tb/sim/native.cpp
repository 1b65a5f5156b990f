// Streams a batch of samples through mlp_top, with nothing of Python between two cycles.
//
// A plain C interface for ctypes: one call resets a core, loads other weights where there are any,
// sends every sample, takes every result and waits for silence. Its ROM images are read from the
// folder of the call, so that one library serves all networks of a shape. Calls share nothing:
// threads may make them side by side.

#include "library.h"

// Beats of a sample and of a result with the bytes of one, and the cycles to wait for a result.
struct Shape {
    uint32_t beats_in, bytes_in, beats_out, bytes_out;
    uint64_t patience;
};

namespace {

class Core {
public:
    explicit Core(const Shape& shape) : shape_(shape), dut_(&context_, "") {
        dut_.s_axis_tvalid = 0;
        dut_.s_load_tvalid = 0;
        dut_.m_axis_tready = 1;
        dut_.rst = 1;
        for (int i = 0; i < RESET_CYCLES; i++) {
            fall();
            rise();
        }
        dut_.rst = 0;
        if (context_.gotFinish()) throw Failure("the design refuses its parameters");
    }

    // A frame of new weights, until the core says what became of it.
    void load(const uint8_t* frame, uint64_t bytes) {
        for (uint64_t i = 0; i < bytes; i++) {
            dut_.s_load_tvalid = 1;
            dut_.s_load_tdata = frame[i];
            dut_.s_load_tlast = i + 1 == bytes;
            fall();
            if (!dut_.s_load_tready) throw Failure("weights are not taken");
            rise();
        }
        dut_.s_load_tvalid = 0;
        for (uint64_t i = 0; i < shape_.patience; i++) {
            fall();
            if (dut_.load_refused) throw Failure("weights are refused");
            const bool done = dut_.load_done;
            rise();
            if (done) return;
        }
        throw Failure("weights are never there");
    }

    // Bytes of features in, bytes of results out; returns the cycles that it took.
    uint64_t stream(const uint8_t* in, uint64_t samples, uint16_t* classes, uint8_t* out) {
        uint64_t cycles = 0, silent = 0, taken = 0;
        uint64_t beats = samples * shape_.beats_in;
        uint32_t beat_in = 0, beat_out = 0;
        while (taken < samples) {
            dut_.s_axis_tvalid = beats > 0;
            if (beats > 0) {
                std::memcpy(&dut_.s_axis_tdata, in, shape_.bytes_in);
                dut_.s_axis_tlast = beat_in + 1 == shape_.beats_in;
            }
            fall();
            if (beats > 0 && dut_.s_axis_tready) {
                beats--;
                in += shape_.bytes_in;
                beat_in = beat_in + 1 == shape_.beats_in ? 0 : beat_in + 1;
            }
            if (dut_.m_axis_tvalid) {
                silent = 0;
                std::memcpy(out, &dut_.m_axis_tdata, shape_.bytes_out);
                out += shape_.bytes_out;
                if (beat_out > 0 && dut_.m_axis_tuser != classes[taken])
                    throw Failure("result " + std::to_string(taken) + " has two classes");
                classes[taken] = dut_.m_axis_tuser;
                const bool last = ++beat_out == shape_.beats_out;
                if (bool(dut_.m_axis_tlast) != last)
                    throw Failure("result " + std::to_string(taken) + " has the wrong length");
                if (last) {
                    beat_out = 0;
                    taken++;
                }
            } else if (++silent > shape_.patience) {
                throw Failure("no result for " + std::to_string(shape_.patience) + " cycles after " +
                              std::to_string(taken) + " of " + std::to_string(samples));
            }
            rise();
            cycles++;
        }
        if (beats > 0) throw Failure("results came before their samples");
        dut_.s_axis_tvalid = 0;
        for (uint64_t i = 0; i < shape_.patience; i++) {
            fall();
            if (dut_.m_axis_tvalid) throw Failure("a result came out of nowhere");
            rise();
        }
        return cycles;
    }

private:
    const Shape& shape_;
    VerilatedContext context_;
    Vdut dut_;

    void fall() {
        dut_.clk = 0;
        dut_.eval();
    }
    void rise() {
        dut_.clk = 1;
        dut_.eval();
    }
};

}  // namespace

// Null where all went well, else a sentence that stands until this thread's next call.
extern "C" const char* verbatim_stream(const char* images, const Shape* shape,
                                       const uint8_t* frame, uint64_t frame_bytes,
                                       const uint8_t* in, uint64_t samples, uint16_t* classes,
                                       uint8_t* out, uint64_t* cycles) {
    try {
        image_folder = images;
        Core core(*shape);
        if (frame_bytes > 0) core.load(frame, frame_bytes);
        *cycles = core.stream(in, samples, classes, out);
        return nullptr;
    } catch (const std::exception& error) {
        complaint = error.what();
        return complaint.c_str();
    }
}
