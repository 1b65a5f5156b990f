// SPDX-License-Identifier: MIT
// mlp_top - a whole network between two AXI4-Streams
//
//     m_axis = output(layer[N_LAYERS-1](... layer[0](s_axis)))
//
// Golden model   model/reference.py: trace; parameters from model/spec.py: NetworkSpec.parameters
// Stream         in: N[0]/IN_LANES beats of features, each lane in whole bytes, sign-extended;
//                out: beats of OUT_LANES probabilities, logits (likewise) or a class; tlast ends a
//                vector; tuser is the class over all of it, 0 where there is none; s_load: mlp_load
// Throughput     as the slowest layer
// Latency        the sum of the layers' and the output's, plus 2 cycles
//
// Wiring only. A list parameter has a 32-bit entry per layer, the first layer's in the low bits.

`default_nettype none

module mlp_top #(
    parameter N_LAYERS                   = 1,           // linear layers, 1 .. 99
    parameter [32*(N_LAYERS+1)-1:0] N    = 64'h00000003_00000004,   // features, then outputs of each layer
    parameter [32*(N_LAYERS+1)-1:0] X_W  = 64'h00000008_00000008,   // feature width, then output widths
    parameter [32*N_LAYERS-1:0] W_W      = 32'd8,       // weight width of each layer
    parameter [32*N_LAYERS-1:0] ACC_W    = 32'd20,      // accumulator width of each layer
    parameter [32*N_LAYERS-1:0] SHIFT    = 32'd7,       // fraction bits dropped by each layer
    parameter [32*N_LAYERS-1:0] RELU     = 32'd0,       // 1 where a ReLU follows
    parameter [32*N_LAYERS-1:0] TABLE_W  = {N_LAYERS{32'd0}},   // bits into an activation's table, 0: none
    parameter [32*N_LAYERS-1:0] SIMD     = 32'd1,       // inputs per cycle of each layer
    parameter [32*N_LAYERS-1:0] PE       = 32'd1,       // outputs side by side of each layer
    parameter OUTPUT                     = "softmax",   // "softmax" or "logits" or "argmax" or "sigmoid"
    parameter LOGIT_FRAC                 = 4,           // softmax, sigmoid: fraction bits of the logits
    parameter SCORE                      = "taylor2",   // softmax score: "taylor2" or "exp"
    parameter DIVIDER                    = "reciprocal", // softmax divider: "reciprocal" or "restoring"
    parameter SCORE_W                    = 15,          // unsigned softmax score width
    parameter TOTAL_W                    = 17,          // unsigned width of the scores' sum
    parameter SOFTMAX_LANES              = 1,           // logits per cycle in softmax, argmax, sigmoid
    parameter ARGMAX                     = 0,           // logits: 1: tuser is the class of the largest
    parameter IN_LANES                   = 1,           // features a beat, divides N[0]
    parameter MEMORY                     = 0,           // 1: a memory keeps the features of a sample; 0 .. 1
    parameter OUT_LANES                  = 1,           // values a beat, divides N[N_LAYERS]; 1 for argmax
    parameter LOADABLE                   = 0,           // 1: s_load replaces weights and biases; 0 .. 1
    parameter [32*(N_LAYERS+1)-1:0] PLAN_AT = {(N_LAYERS+1){32'd0}},    // first word of each plan, and all
    parameter [32*PLAN_AT[32*N_LAYERS +: 32]+31:0] PLANS = 32'd0,   // plans of mlp_graph, and a word
    parameter MEM_DIR                    = ""           // folder of the ROM images
) (
    input  wire                                                      clk,
    input  wire                                                      rst,  // synchronous, active high

    input  wire                                                      s_load_tvalid, s_load_tlast,
    input  wire [7:0]                                                s_load_tdata,
    output wire                                                      s_load_tready,
    output wire                                                      load_done, load_refused,

    input  wire                                                      s_axis_tvalid, s_axis_tlast,
    output wire                                                      s_axis_tready,
    input  wire [IN_LANES*8*$signed((X_W[31:0]+7)/8)-1:0]            s_axis_tdata,

    output wire                                                      m_axis_tvalid, m_axis_tlast,
    input  wire                                                      m_axis_tready,
    output wire [OUT_LANES*({64'd0, OUTPUT} == "logits" ? 8*$signed((X_W[32*N_LAYERS +: 32]+7)/8)
                 : {64'd0, OUTPUT} == "argmax" && N[32*N_LAYERS +: 32] > 128 ? 16 : 8)-1:0] m_axis_tdata,
    output wire [(N[32*N_LAYERS +: 32] > 128 ? 16 : 8)-1:0]          m_axis_tuser
);

    // An entry is made an integer before it is passed on: a parameter inherits the width it is given.
    localparam NAME              = {64'd0, OUTPUT};    // else as wide as its characters
    localparam integer FEATURES  = N[31:0], FEATURE_W = X_W[31:0];
    localparam integer BEAT      = MEMORY != 0 ? IN_LANES : FEATURES;   // features at a time to layer 0
    localparam integer LOGITS    = N[32*N_LAYERS +: 32], LOGIT_W = X_W[32*N_LAYERS +: 32];
    localparam integer CLASS_W   = LOGITS > 1 ? $clog2(LOGITS) : 1, USER_W = LOGITS > 128 ? 16 : 8;
    localparam integer RESULTS   = NAME == "argmax" ? 1 : LOGITS;
    localparam integer RESULT_W  = NAME == "argmax" ? USER_W : NAME == "logits" ? 8*((LOGIT_W+7)/8) : 8;

    wire [BEAT*FEATURE_W-1:0] x;
    wire [LOGITS*LOGIT_W-1:0] logits;
    wire [10:0]               load;
    wire                      load_full, beat_valid, beat_ready, x_valid, x_ready, x_last;
    wire                      logits_valid, logits_ready;

    mlp_load #(.LOADABLE(LOADABLE)) u_load (
        .clk(clk), .rst(rst), .s_load_tvalid(s_load_tvalid), .s_load_tready(s_load_tready),
        .s_load_tlast(s_load_tlast), .s_load_tdata(s_load_tdata), .done(load_done),
        .refused(load_refused), .load(load), .full(load_full), .in_valid(s_axis_tvalid),
        .in_ready(s_axis_tready), .out_valid(beat_valid), .out_ready(beat_ready), .waits(x_valid),
        .enters(x_valid && x_ready), .leaves(logits_valid && logits_ready)
    );

    mlp_input #(.N(FEATURES), .LANES(IN_LANES), .OUT_LANES(BEAT), .W(FEATURE_W)) u_input (
        .clk(clk), .rst(rst), .in_valid(beat_valid), .in_ready(beat_ready),
        .in_last(s_axis_tlast), .in_data(s_axis_tdata), .out_valid(x_valid), .out_ready(x_ready),
        .out_last(x_last), .out_x(x)
    );

    mlp_layers #(
        .N_LAYERS(N_LAYERS), .N(N), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W), .SHIFT(SHIFT), .RELU(RELU),
        .TABLE_W(TABLE_W), .SIMD(SIMD), .PE(PE), .LANES(BEAT), .LOADABLE(LOADABLE), .PLAN_AT(PLAN_AT),
        .PLANS(PLANS), .MEM_DIR(MEM_DIR)
    ) u_layers (
        .clk(clk), .rst(rst), .load(load), .load_full(load_full), .in_valid(x_valid),
        .in_ready(x_ready), .in_last(x_last), .in_x(x), .out_valid(logits_valid),
        .out_ready(logits_ready), .out_x(logits)
    );

    wire                        y_valid, y_ready;
    wire [RESULTS*RESULT_W-1:0] y;
    wire [CLASS_W-1:0]          y_class, winner;

    mlp_output #(
        .OUTPUT(OUTPUT), .N(LOGITS), .LANES(SOFTMAX_LANES), .X_W(LOGIT_W), .FRAC(LOGIT_FRAC),
        .SCORE(SCORE), .DIVIDER(DIVIDER), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .ARGMAX(ARGMAX),
        .Y_W(RESULT_W), .MEM_DIR(MEM_DIR)
    ) u_output (
        .clk(clk), .rst(rst), .in_valid(logits_valid), .in_ready(logits_ready), .in_x(logits),
        .out_valid(y_valid), .out_ready(y_ready), .out_y(y), .out_class(y_class)
    );

    mlp_stream_unpack #(.N(RESULTS), .LANES(OUT_LANES), .W(RESULT_W), .TAG_W(CLASS_W)) u_unpack (
        .clk(clk), .rst(rst), .in_valid(y_valid), .in_ready(y_ready), .in_x(y), .in_tag(y_class),
        .out_valid(m_axis_tvalid), .out_ready(m_axis_tready), .out_last(m_axis_tlast),
        .out_lanes(m_axis_tdata), .out_tag(winner)
    );

    assign m_axis_tuser = {{(USER_W-CLASS_W){1'b0}}, winner};

endmodule

`default_nettype wire
