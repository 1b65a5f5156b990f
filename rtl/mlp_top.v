// SPDX-License-Identifier: MIT
// mlp_top - a whole network between two AXI4-Streams
//
//     m_axis = softmax(layer[N_LAYERS-1](... layer[0](s_axis)))
//
// Golden model   model/reference.py: trace; parameters from model/spec.py: NetworkSpec.parameters
// Stream         in: N[0]/IN_LANES beats of features, each lane in whole bytes, sign-extended;
//                out: N[N_LAYERS]/OUT_LANES beats of probability bytes; tlast ends a vector;
//                tuser is the class, constant over a vector
// Throughput     as the slowest layer
// Latency        the sum of the layers' and the softmax's, plus 2 cycles
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
    parameter [32*N_LAYERS-1:0] SIMD     = 32'd1,       // inputs per cycle of each layer
    parameter [32*N_LAYERS-1:0] PE       = 32'd1,       // outputs side by side of each layer
    parameter LOGIT_FRAC                 = 4,           // fraction bits of the last layer's output
    parameter SCORE                      = "taylor2",   // softmax score: "taylor2" or "exp"
    parameter DIVIDER                    = "reciprocal", // softmax divider: "reciprocal" or "restoring"
    parameter SCORE_W                    = 15,          // unsigned softmax score width
    parameter TOTAL_W                    = 17,          // unsigned width of the scores' sum
    parameter SOFTMAX_LANES              = 1,           // classes per cycle in the softmax
    parameter IN_LANES                   = 1,           // features a beat, divides N[0]
    parameter OUT_LANES                  = 1,           // probabilities a beat, divides N[N_LAYERS]
    parameter MEM_DIR                    = ""           // folder of the ROM images
) (
    input  wire                                                      clk,
    input  wire                                                      rst,  // synchronous, active high

    input  wire                                                      s_axis_tvalid,
    output wire                                                      s_axis_tready,
    input  wire                                                      s_axis_tlast,
    input  wire [IN_LANES*8*$signed((X_W[31:0]+7)/8)-1:0]            s_axis_tdata,

    output wire                                                      m_axis_tvalid,
    input  wire                                                      m_axis_tready,
    output wire                                                      m_axis_tlast,
    output wire [OUT_LANES*8-1:0]                                    m_axis_tdata,
    output wire [7:0]                                                m_axis_tuser
);

    // An entry is made an integer before it is passed on: a parameter inherits the width it is given.
    localparam integer FEATURES  = N[31:0];
    localparam integer FEATURE_W = X_W[31:0];
    localparam integer BYTES_W   = 8 * ((FEATURE_W + 7) / 8);
    localparam integer CLASSES   = N[32*N_LAYERS +: 32];
    localparam integer LOGIT_W   = X_W[32*N_LAYERS +: 32];
    localparam integer CLASS_W   = $clog2(CLASSES);

    // Stream k, k = 0 .. N_LAYERS, leads into layer k; its vector begins at bit offset(k) of `x`.
    function integer offset(input integer k);
        integer j;
        begin
            offset = 0;
            for (j = 0; j < k; j = j + 1)
                offset = offset + $signed(N[32*j +: 32] * X_W[32*j +: 32]);
        end
    endfunction

    wire [offset(N_LAYERS+1)-1:0] x;
    wire [N_LAYERS:0]             x_valid;
    wire [N_LAYERS:0]             x_ready;

    wire [IN_LANES*FEATURE_W-1:0] features;

    genvar k;
    generate
        for (k = 0; k < IN_LANES; k = k + 1) begin : g_feature
            assign features[k*FEATURE_W +: FEATURE_W] = s_axis_tdata[k*BYTES_W +: FEATURE_W];

            if (BYTES_W > FEATURE_W) begin : g_padding
                wire unused = &{1'b0, s_axis_tdata[k*BYTES_W+FEATURE_W +: BYTES_W-FEATURE_W]};
            end
        end
    endgenerate

    mlp_stream_pack #(.N(FEATURES), .LANES(IN_LANES), .W(FEATURE_W)) u_pack (
        .clk(clk), .rst(rst),
        .in_valid(s_axis_tvalid), .in_ready(s_axis_tready), .in_last(s_axis_tlast),
        .in_lanes(features),
        .out_valid(x_valid[0]), .out_ready(x_ready[0]), .out_x(x[0 +: FEATURES*FEATURE_W])
    );

    generate
        for (k = 0; k < N_LAYERS; k = k + 1) begin : g_layer
            localparam integer N_IN      = N[32*k +: 32];
            localparam integer N_OUT     = N[32*(k+1) +: 32];
            localparam integer IN_W      = X_W[32*k +: 32];
            localparam integer OUT_W     = X_W[32*(k+1) +: 32];
            localparam integer WEIGHT_W  = W_W[32*k +: 32];
            localparam integer SUM_W     = ACC_W[32*k +: 32];
            localparam integer DROPPED   = SHIFT[32*k +: 32];
            localparam integer HAS_RELU  = RELU[32*k +: 32];
            localparam integer N_SIMD    = SIMD[32*k +: 32];
            localparam integer N_PE      = PE[32*k +: 32];

            // Two decimal digits number the images of a layer.
            localparam [7:0] TENS    = 48 + k / 10;
            localparam [7:0] ONES    = 48 + k % 10;
            localparam       WEIGHTS = {MEM_DIR, "/linear", TENS, ONES, "_weights.mem"};
            localparam       BIASES  = {MEM_DIR, "/linear", TENS, ONES, "_biases.mem"};

            mlp_layer #(
                .N_IN(N_IN), .N_OUT(N_OUT), .X_W(IN_W), .W_W(WEIGHT_W), .ACC_W(SUM_W), .Y_W(OUT_W),
                .SHIFT(DROPPED), .RELU(HAS_RELU), .SIMD(N_SIMD), .PE(N_PE),
                .WEIGHTS(MEM_DIR == "" ? "" : WEIGHTS), .BIASES(MEM_DIR == "" ? "" : BIASES)
            ) u_layer (
                .clk(clk), .rst(rst),
                .in_valid(x_valid[k]), .in_ready(x_ready[k]),
                .in_x(x[offset(k) +: N_IN*IN_W]),
                .out_valid(x_valid[k+1]), .out_ready(x_ready[k+1]),
                .out_x(x[offset(k+1) +: N_OUT*OUT_W])
            );
        end
    endgenerate

    wire                 p_valid;
    wire                 p_ready;
    wire [CLASSES*8-1:0] p;
    wire [CLASS_W-1:0]   p_class;
    wire [CLASS_W-1:0]   winner;

    mlp_softmax #(
        .N(CLASSES), .LANES(SOFTMAX_LANES), .X_W(LOGIT_W), .FRAC(LOGIT_FRAC),
        .SCORE(SCORE), .DIVIDER(DIVIDER), .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W),
        .EXP(MEM_DIR == "" ? "" : {MEM_DIR, "/exp.mem"}),
        .RECIPROCAL(MEM_DIR == "" ? "" : {MEM_DIR, "/reciprocal.mem"})
    ) u_softmax (
        .clk(clk), .rst(rst),
        .in_valid(x_valid[N_LAYERS]), .in_ready(x_ready[N_LAYERS]),
        .in_x(x[offset(N_LAYERS) +: CLASSES*LOGIT_W]),
        .out_valid(p_valid), .out_ready(p_ready), .out_p(p), .out_class(p_class)
    );

    mlp_stream_unpack #(.N(CLASSES), .LANES(OUT_LANES), .W(8), .TAG_W(CLASS_W)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(p_valid), .in_ready(p_ready), .in_x(p), .in_tag(p_class),
        .out_valid(m_axis_tvalid), .out_ready(m_axis_tready), .out_last(m_axis_tlast),
        .out_lanes(m_axis_tdata), .out_tag(winner)
    );

    assign m_axis_tuser = {{(8-CLASS_W){1'b0}}, winner};

endmodule

`default_nettype wire
