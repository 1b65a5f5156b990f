// SPDX-License-Identifier: MIT
// mlp_linear - matrix times vector plus bias, folded to SIMD x PE multipliers
//
//     acc[n] = bias[n] + sum over i of weight[n][i] * x[i]
//
// Golden model   model/reference.py: linear
// Stream         in: N_IN/LANES beats, last on the final one; out: N_OUT/PE beats of PE sums,
//                last on the final one
// Throughput     (N_IN/SIMD)*(N_OUT/PE) cycles per vector, back to back, without a bubble
// Latency        N_IN/SIMD + ceil(log2(SIMD)) + 4 cycles to the first beat, 1 more where LANES < N_IN
//
//     cycle   0      1              2       3          4 ..         ..           ..
//             load   read weights   fetch   multiply   adder tree   accumulate   hand over
//
// mlp_vector gives the elements of a vector, SIMD a cycle, again for each PE outputs. Everything
// moves or halts together.

`default_nettype none

module mlp_linear #(
    parameter N_IN    = 4,              // inputs, 1 or more
    parameter N_OUT   = 2,              // outputs, 1 or more
    parameter X_W     = 8,              // signed input width, 2 .. 16
    parameter W_W     = 8,              // signed weight width, 2 .. 16
    parameter ACC_W   = 20,             // signed sum width, X_W + W_W .. 63; holds every sum
    parameter LANES   = 4,              // inputs of a beat: all N_IN, or fewer that divide SIMD, not LOADABLE
    parameter SIMD    = 2,              // inputs per cycle, divides N_IN
    parameter PE      = 1,              // outputs side by side, divides N_OUT
    parameter LOADABLE = 0,             // 1: weights and biases can be replaced; 0 .. 1
    parameter WEIGHTS = "",             // image: a word of PE*SIMD weights for each cycle
    parameter BIASES  = ""              // image: a word of PE biases for each group of outputs
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high
    input  wire [11:0]          load,   // turn, and the bus of mlp_load
    output wire                 load_full,

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 in_last,
    input  wire [LANES*X_W-1:0] in_x,

    output reg                  out_valid,
    input  wire                 out_ready,
    output reg                  out_last,
    output reg  [PE*ACC_W-1:0]  out_acc
);

    localparam STEPS  = N_IN / SIMD;            // cycles for one group of PE outputs
    localparam GROUPS = N_OUT / PE;
    localparam CYCLES = STEPS * GROUPS;
    localparam GROUP_W = GROUPS > 1 ? $clog2(GROUPS) : 1, CYCLE_W = CYCLES > 1 ? $clog2(CYCLES) : 1;
    localparam STAGES = 3 + $clog2(SIMD);       // read, fetch, multiply, adder tree

    wire                busy, first_step, last_step, last_group, weights_full;
    wire [GROUP_W-1:0]  group;
    wire [CYCLE_W-1:0]  cycle;
    wire [SIMD*X_W-1:0] x;
    wire                move = !out_valid || out_ready;

    mlp_vector #(.N(N_IN), .LANES(LANES), .SIMD(SIMD), .GROUPS(GROUPS), .W(X_W)) u_vector (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_lanes(in_x),
        .out_valid(busy), .out_ready(move),
        .out_first_step(first_step), .out_last_step(last_step), .out_last_group(last_group),
        .out_group(group), .out_cycle(cycle), .out_x(x)
    );

    // Weights come out of their ROM beside the elements that they belong to. The multipliers of an
    // FPGA sit in places of their own, far from ROM and adders: a register on both sides of each
    // gives the way there and the way back a cycle of their own.
    reg  [SIMD*X_W-1:0]    x_read, x_fetched;
    wire [PE*SIMD*W_W-1:0] w_read;
    reg  [PE*SIMD*W_W-1:0] w_fetched;

    mlp_loadable_rom #(.WIDTH(PE*SIMD*W_W), .DEPTH(CYCLES), .LOADABLE(LOADABLE), .FILE(WEIGHTS))
        u_weights (
            .clk(clk), .en(move), .addr(cycle), .data(w_read), .load(load), .load_full(weights_full)
        );

    always @(posedge clk) begin
        if (move) begin
            x_read    <= x;
            x_fetched <= x_read;
            w_fetched <= w_read;
        end
    end

    wire [PE*ACC_W-1:0] sums;

    genvar p;
    generate
        for (p = 0; p < PE; p = p + 1) begin : g_pe
            mlp_dot #(.SIMD(SIMD), .X_W(X_W), .W_W(W_W), .ACC_W(ACC_W)) u_dot (
                .clk(clk), .en(move), .in_x(x_fetched), .in_w(w_fetched[p*SIMD*W_W +: SIMD*W_W]),
                .out_sum(sums[p*ACC_W +: ACC_W])
            );
        end
    endgenerate

    // Control travels beside the data; a bias is read one cycle early, to arrive with its sum.
    wire                sum_valid, sum_first, sum_last, sum_last_group;
    wire [GROUP_W-1:0]  bias_group;
    wire [PE*ACC_W-1:0] bias;

    mlp_delay #(.W(1), .CYCLES(STAGES)) u_valid (
        .clk(clk), .rst(rst), .en(move), .in_data(busy), .out_data(sum_valid)
    );

    mlp_delay #(.W(3), .CYCLES(STAGES)) u_place (
        .clk(clk), .rst(1'b0), .en(move), .in_data({first_step, last_step, last_group}),
        .out_data({sum_first, sum_last, sum_last_group})
    );

    mlp_delay #(.W(GROUP_W), .CYCLES(STAGES-1)) u_group (
        .clk(clk), .rst(1'b0), .en(move), .in_data(group), .out_data(bias_group)
    );

    mlp_loadable_rom #(.WIDTH(PE*ACC_W), .DEPTH(GROUPS), .LOADABLE(LOADABLE), .FILE(BIASES))
        u_biases (
            .clk(clk), .en(move), .addr(bias_group), .data(bias),
            .load({weights_full, load[10:0]}), .load_full(load_full)
        );

    // The first step of a group begins with the bias, the others with what is there.
    function [PE*ACC_W-1:0] lane_sums(input [PE*ACC_W-1:0] so_far, input [PE*ACC_W-1:0] more);
        integer k;
        for (k = 0; k < PE; k = k + 1)
            lane_sums[k*ACC_W +: ACC_W] = so_far[k*ACC_W +: ACC_W] + more[k*ACC_W +: ACC_W];
    endfunction

    always @(posedge clk) begin
        if (move && sum_valid) begin
            out_acc  <= lane_sums(STEPS == 1 || sum_first ? bias : out_acc, sums);
            out_last <= sum_last_group;
        end
    end

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (move)
            out_valid <= sum_valid && (STEPS == 1 || sum_last);
    end

    initial begin
        if (N_IN < 1 || N_OUT < 1 || SIMD < 1 || PE < 1 || STEPS*SIMD != N_IN || GROUPS*PE != N_OUT || (
            LOADABLE != 0 && LANES != N_IN)) begin
            $display("%m: N_IN=%0d SIMD=%0d N_OUT=%0d PE=%0d LOADABLE=%0d LANES=%0d: SIMD must divide N_IN, PE must divide N_OUT, and LANES be N_IN if LOADABLE",
                     N_IN, SIMD, N_OUT, PE, LOADABLE, LANES);
            $finish;
        end
    end

endmodule

`default_nettype wire
