// SPDX-License-Identifier: MIT
// vector_properties - mlp_vector keeps the contract of streams, and gives each step what it asks for
//
// A vector of another length has no result, unless a vector is a beat.

`default_nettype none

module vector_properties #(
    parameter N        = 4,
    parameter LANES    = 2,
    parameter SIMD     = 2,
    parameter GROUPS   = 1,
    parameter W        = 1,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire               clk,
    input wire               rst,
    input wire               in_valid,
    input wire               in_last,
    input wire [LANES*W-1:0] in_lanes,
    input wire               out_ready
);

    localparam BEATS   = N / LANES;
    localparam STEPS   = N / SIMD;
    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam CYCLE_W = STEPS*GROUPS > 1 ? $clog2(STEPS*GROUPS) : 1;
    localparam BEAT_W  = 3 + GROUP_W + CYCLE_W + SIMD*W;

    wire               in_ready;
    wire               out_valid;
    wire               out_first_step, out_last_step, out_last_group;
    wire [GROUP_W-1:0] out_group;
    wire [CYCLE_W-1:0] out_cycle;
    wire [SIMD*W-1:0]  out_x;

    mlp_vector #(.N(N), .LANES(LANES), .SIMD(SIMD), .GROUPS(GROUPS), .W(W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_lanes(in_lanes),
        .out_valid(out_valid), .out_ready(out_ready), .out_first_step(out_first_step),
        .out_last_step(out_last_step), .out_last_group(out_last_group), .out_group(out_group),
        .out_cycle(out_cycle), .out_x(out_x)
    );

    // Beats taken of this vector, BEATS for too many; and their values, the newest on top.
    reg [7:0]     taken;
    reg [N*W-1:0] so_far;

    wire           take   = in_valid && in_ready;
    wire           last   = BEATS == 1 || in_last;
    wire [N*W-1:0] vector = {in_lanes, so_far} >> (LANES*W);

    always @(posedge clk) begin
        if (rst)
            taken <= 0;
        else if (take)
            taken <= last ? 0 : taken == BEATS ? taken : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    // Group g = cycle / STEPS takes the words of the vector one after the other.
    reg [STEPS*GROUPS*BEAT_W-1:0] beats;
    integer c;

    always @*
        for (c = 0; c < STEPS*GROUPS; c = c + 1) begin
            beats[c*BEAT_W +: SIMD*W]                  = vector >> (c % STEPS * SIMD*W);
            beats[c*BEAT_W + SIMD*W +: CYCLE_W]        = c;
            beats[c*BEAT_W + SIMD*W + CYCLE_W +: GROUP_W] = c / STEPS;
            beats[(c+1)*BEAT_W - 3 +: 3] = {c % STEPS == 0, c % STEPS == STEPS - 1, c / STEPS == GROUPS - 1};
        end

    stream_contract #(
        .W(BEAT_W), .GIVES(STEPS*GROUPS), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(last), .in_good(taken == BEATS - 1), .promised(beats),
        .out_valid(out_valid), .out_ready(out_ready),
        .out_payload({out_first_step, out_last_step, out_last_group, out_group, out_cycle, out_x})
    );

endmodule

`default_nettype wire
