// SPDX-License-Identifier: MIT
// mlp_learn_answer - logits to probabilities, which leave the core, and to their deltas
//
//     m_axis = softmax(logits);  d = error(softmax(logits), label) where the sample is learned
//
// Golden model   model/reference.py: softmax; model/learning/backprop.py: error
// Stream         in: N logits, last on the final one; out: probabilities as mlp_top, deltas
// Latency        1 cycle, then the softmax's, then mlp_learn_error's to the first delta

`default_nettype none

module mlp_learn_answer #(
    parameter N          = 3,           // classes, 2 .. 64
    parameter LOGIT_FRAC = 3,           // fraction bits of a logit, 0 .. 8
    parameter SCORE      = "exp",       // "taylor2" or "exp"
    parameter DIVIDER    = "reciprocal",  // "reciprocal" or "restoring"
    parameter SCORE_W    = 16,          // unsigned score width
    parameter TOTAL_W    = 18,          // unsigned width of the scores' sum
    parameter MEM_DIR    = ""           // folder of the ROM images
) (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       in_valid,
    input  wire       in_last,
    input  wire [7:0] in_logit,
    input  wire       learn,            // the sample is learned, as `label`
    input  wire [7:0] label,
    output wire       answered,         // the probabilities are on their way
    output wire       wrong,            // and not for the label of a sample that is learned

    output wire       d_valid,
    output wire [15:0] d,

    output wire       m_axis_tvalid,
    input  wire       m_axis_tready,
    output wire       m_axis_tlast,
    output wire [7:0] m_axis_tdata,
    output wire [7:0] m_axis_tuser
);

    localparam CLASS_W = $clog2(N);

    wire               x_valid, x_ready, x_in_ready_unused;
    wire [N*8-1:0]     x, p;
    wire               p_valid, out_ready, error_ready, last_unused;
    wire [CLASS_W-1:0] p_class, winner;

    mlp_stream_pack #(.N(N), .LANES(1), .W(8)) u_pack (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(x_in_ready_unused), .in_last(in_last), .in_lanes(in_logit),
        .out_valid(x_valid), .out_ready(x_ready), .out_x(x)
    );

    mlp_softmax #(
        .N(N), .LANES(1), .X_W(8), .FRAC(LOGIT_FRAC), .SCORE(SCORE), .DIVIDER(DIVIDER),
        .SCORE_W(SCORE_W), .TOTAL_W(TOTAL_W), .EXP(MEM_DIR == "" ? "" : {MEM_DIR, "/exp.mem"}),
        .RECIPROCAL(MEM_DIR == "" ? "" : {MEM_DIR, "/reciprocal.mem"})
    ) u_softmax (
        .clk(clk), .rst(rst),
        .in_valid(x_valid), .in_ready(x_ready), .in_x(x),
        .out_valid(p_valid), .out_ready(answered), .out_p(p), .out_class(p_class)
    );

    // Both take the probabilities in the same cycle; the logits still stand where they were packed.
    assign answered = p_valid && out_ready && (error_ready || !learn);

    mlp_learn_error #(
        .N(N), .SCORE(SCORE), .SLOPES(MEM_DIR == "" ? "" : {MEM_DIR, "/slopes.mem"})
    ) u_error (
        .clk(clk), .rst(rst),
        .in_valid(answered && learn), .in_ready(error_ready), .in_p(p), .in_logits(x),
        .in_label(label), .out_valid(d_valid), .out_ready(1'b1), .out_last(last_unused), .out_d(d)
    );

    mlp_stream_unpack #(.N(N), .LANES(1), .W(8), .TAG_W(CLASS_W)) u_unpack (
        .clk(clk), .rst(rst),
        .in_valid(answered), .in_ready(out_ready), .in_x(p), .in_tag(p_class),
        .out_valid(m_axis_tvalid), .out_ready(m_axis_tready), .out_last(m_axis_tlast),
        .out_lanes(m_axis_tdata), .out_tag(winner)
    );

    assign wrong        = answered && learn && {{(8-CLASS_W){1'b0}}, p_class} != label;
    assign m_axis_tuser = {{(8-CLASS_W){1'b0}}, winner};

endmodule

`default_nettype wire
