// What each shared library of a design has in common, for a plain C interface to ctypes: where its
// ROM images are read from, and how a complaint becomes a sentence instead of the process' end.
//
// Included by one harness of a library alone. Both variables are those of a thread, so that threads
// may call side by side.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include "Vdut.h"
#include "verilated.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the machine must be little-endian, since lanes are copied as bytes"
#endif

namespace {

constexpr int RESET_CYCLES = 4;

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

thread_local std::string image_folder;
thread_local std::string complaint;

}  // namespace

// The linker leads each fopen of this library here: the design names its images without a folder.
extern "C" std::FILE* __real_fopen(const char* name, const char* mode);
extern "C" std::FILE* __wrap_fopen(const char* name, const char* mode) {
    return __real_fopen((image_folder + "/" + name).c_str(), mode);
}

// What the simulator complains of ends the call, and not the process.
void vl_warn(const char* file, int, const char*, const char* message) {
    throw Failure(std::string(file) + ": " + message);
}
void vl_fatal(const char* file, int line, const char* scope, const char* message) {
    vl_warn(file, line, scope, message);
}
