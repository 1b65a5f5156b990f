// Runs the emulator that hls4ml wrote, a sample a call, with nothing of Python between two of them.
//
//   harness INPUTS N_IN OUTPUTS N_OUT SECONDS
//
// Inputs and outputs are floats, as its own bridge to Python takes them. The same samples are
// computed again and again for SECONDS; the last word is samples per second.

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "hls4ml_network_bridge.cpp"

namespace {

// A bridge takes input and output; those of some backends have places for their sizes, too.
template <class... Sizes>
void call(void (*bridge)(float*, float*, Sizes&...), float* input, float* output) {
    unsigned short unused = 0;
    bridge(input, output, static_cast<Sizes&>(unused)...);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs("5 arguments are legal\n", stderr);
        return 1;
    }
    const size_t n_in = std::stoul(argv[2]), n_out = std::stoul(argv[4]);
    const double seconds = std::stod(argv[5]);
    std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
    const size_t samples = size_t(file.tellg()) / (n_in * sizeof(float));
    std::vector<float> in(n_in * samples), out(n_out * samples);
    file.seekg(0);
    if (samples == 0 || !file.read(reinterpret_cast<char*>(in.data()), in.size() * sizeof(float))) {
        std::fprintf(stderr, "%s holds no sample\n", argv[1]);
        return 1;
    }

    const auto start = std::chrono::steady_clock::now();
    double passed = 0, computed = 0;
    do {
        for (size_t i = 0; i < samples; i++)
            call(hls4ml_network_float, &in[n_in * i], &out[n_out * i]);
        computed += double(samples);
        passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    } while (passed < seconds);

    std::ofstream results(argv[3], std::ios::binary);
    results.write(reinterpret_cast<const char*>(out.data()), out.size() * sizeof(float));
    std::printf("{\"samples per second\": %.1f}\n", computed / passed);
}
