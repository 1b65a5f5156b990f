// Teaches mlp_learn_top, with nothing of Python between two cycles.
//
// A plain C interface for ctypes: a core is opened, started or loaded, given samples, saved, closed.
// Its ROM images are read from the folder that it was opened with. Cores share nothing.

#include "library.h"

// From the last write of a master to its count.
constexpr int COUNT_CYCLES = 3;

// Inputs and outputs of the network, bytes of the thresholds, and the cycles to wait for anything.
struct Shape {
    uint32_t n_in, n_out, samples, threshold_bytes;
    uint64_t patience;
};

class Core {
public:
    Core(const Shape& shape, const uint16_t* thresholds) : shape_(shape), dut_(&context_, "") {
        dut_.samples = shape.samples;
        std::memcpy(&dut_.thresholds, thresholds, shape.threshold_bytes);
        dut_.s_axis_tvalid = dut_.s_start_tvalid = dut_.s_load_tvalid = dut_.s_save_tvalid = 0;
        dut_.m_order_tready = dut_.m_save_tready = 0;
        dut_.m_axis_tready = 1;
        dut_.rst = 1;
        for (int i = 0; i < RESET_CYCLES; i++) cycle();
        dut_.rst = 0;
        if (context_.gotFinish()) throw Failure("the design refuses its parameters");
    }

    void start(uint16_t seed) {
        dut_.s_start_tvalid = 1;
        dut_.s_start_tdata = seed;
        until("start", [&] { return dut_.s_start_tready; });
        dut_.s_start_tvalid = 0;
        until("network", [&] { return dut_.has_network; });
    }

    void load(const uint16_t* words, uint64_t count) {
        dut_.s_load_tvalid = 1;
        for (uint64_t i = 0; i < count; i++) {
            dut_.s_load_tdata = words[i];
            dut_.s_load_tlast = i + 1 == count;
            until("load", [&] { return dut_.s_load_tready; });
        }
        dut_.s_load_tvalid = 0;
        cycle();
        fall();
        if (!dut_.has_network) throw Failure("a load of " + std::to_string(count) + " words is refused");
        rise();
    }

    void save(uint16_t* words, uint64_t count) {
        dut_.s_save_tvalid = 1;
        until("save", [&] { return dut_.s_save_tready; });
        dut_.s_save_tvalid = 0;
        dut_.m_save_tready = 1;
        for (uint64_t i = 0; i < count; i++) {
            bool last = false;
            until("saved word", [&] {
                words[i] = dut_.m_save_tdata;
                last = dut_.m_save_tlast;
                return dut_.m_save_tvalid;
            });
            if (last != (i + 1 == count)) throw Failure("a save has the wrong length");
        }
        dut_.m_save_tready = 0;
    }

    // Activations, deltas and masters that saturated, wrong samples: since the last start or load.
    // A save is possible once the last sample has moved its masters; those are then on their way.
    void counts(uint32_t* words) {
        until("rest", [&] { return dut_.s_save_tready; });
        for (int i = 0; i < COUNT_CYCLES; i++) cycle();
        std::memcpy(words, &dut_.counts, sizeof dut_.counts);
    }

    // Samples by the core's own order where `indices` is null, else those of `indices`. Each is
    // offered as soon as the core takes it. Returns the cycles from the first sample taken.
    uint64_t learn(const int8_t* x, const uint8_t* labels, const uint32_t* indices, uint64_t count,
                   bool learns, uint32_t* order, uint8_t* classes, uint8_t* out) {
        uint64_t cycles = 0, silent = 0, taken = 0, sent = 0;
        uint32_t beat_in = 0, beat_out = 0, wanted = 0;
        bool known = false;
        while (taken < count) {
            if (!known && indices && sent < count) {
                wanted = indices[sent];
                known = true;
            }
            dut_.m_order_tready = !known && !indices && sent < count;
            dut_.s_axis_tvalid = known;
            if (known) {
                dut_.s_axis_tdata = x[uint64_t(wanted) * shape_.n_in + beat_in];
                dut_.s_axis_tlast = beat_in + 1 == shape_.n_in;
                dut_.s_axis_tuser = (learns ? 256 : 0) | labels[wanted];
            }
            fall();
            if (known && dut_.s_axis_tready && ++beat_in == shape_.n_in) {
                order[sent++] = wanted;
                beat_in = 0;
                known = false;
            } else if (dut_.m_order_tready && dut_.m_order_tvalid) {
                wanted = dut_.m_order_tdata;
                known = true;
            }
            if (dut_.m_axis_tvalid) {
                silent = 0;
                *out++ = dut_.m_axis_tdata;
                classes[taken] = dut_.m_axis_tuser;
                const bool last = ++beat_out == shape_.n_out;
                if (bool(dut_.m_axis_tlast) != last)
                    throw Failure("result " + std::to_string(taken) + " has the wrong length");
                if (last) {
                    beat_out = 0;
                    taken++;
                }
            } else if (++silent > shape_.patience) {
                throw Failure("no result for " + std::to_string(shape_.patience) + " cycles after " +
                              std::to_string(taken) + " of " + std::to_string(count));
            }
            rise();
            cycles++;
        }
        dut_.s_axis_tvalid = dut_.m_order_tready = 0;
        return cycles;
    }

private:
    const Shape shape_;
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
    void cycle() {
        fall();
        rise();
    }
    template <typename Condition>
    void until(const char* what, Condition holds) {
        for (uint64_t i = 0; i < 64 * shape_.patience; i++) {
            fall();
            const bool held = holds();
            rise();
            if (held) return;
        }
        throw Failure(std::string("no ") + what);
    }
};

namespace {

template <typename Action>
const char* guarded(Action action) {
    try {
        action();
        return nullptr;
    } catch (const std::exception& error) {
        complaint = error.what();
        return complaint.c_str();
    }
}

}  // namespace

// Null where all went well, else a sentence that stands until this thread's next call.
extern "C" const char* verbatim_learn_open(const char* images, const Shape* shape,
                                           const uint16_t* thresholds, Core** core) {
    return guarded([&] {
        image_folder = images;
        *core = std::make_unique<Core>(*shape, thresholds).release();
    });
}
extern "C" void verbatim_learn_close(Core* core) { delete core; }
extern "C" const char* verbatim_learn_start(Core* core, uint16_t seed) {
    return guarded([&] { core->start(seed); });
}
extern "C" const char* verbatim_learn_load(Core* core, const uint16_t* words, uint64_t count) {
    return guarded([&] { core->load(words, count); });
}
extern "C" const char* verbatim_learn_save(Core* core, uint16_t* words, uint64_t count) {
    return guarded([&] { core->save(words, count); });
}
extern "C" const char* verbatim_learn_counts(Core* core, uint32_t* words) {
    return guarded([&] { core->counts(words); });
}
extern "C" const char* verbatim_learn_samples(Core* core, const int8_t* x, const uint8_t* labels,
                                              const uint32_t* indices, uint64_t count, bool learns,
                                              uint32_t* order, uint8_t* classes, uint8_t* out,
                                              uint64_t* cycles) {
    return guarded(
        [&] { *cycles = core->learn(x, labels, indices, count, learns, order, classes, out); });
}
