// SPDX-License-Identifier: MIT
// range_properties - mlp_range keeps the contract of streams, and flags what is outside
//
// Codes are compared by how far they are above the least one, which has no sign.

`default_nettype none

module range_properties #(
    parameter N        = 2,
    parameter LANES    = 1,
    parameter W        = 2,
    parameter DEPTH_W  = 1,
    parameter [32*N-1:0] LOW  = 64'd0,
    parameter [32*N-1:0] HIGH = 64'd0,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                         clk,
    input wire                         rst,
    input wire                         in_valid,
    input wire                         in_last,
    input wire [LANES*8*((W+7)/8)-1:0] in_data,
    input wire                         out_ready
);

    wire in_ready;
    wire out_valid;
    wire out_outside;

    mlp_range #(.N(N), .LANES(LANES), .W(W), .DEPTH_W(DEPTH_W), .LOW(LOW), .HIGH(HIGH)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_data(in_data),
        .out_valid(out_valid), .out_ready(out_ready), .out_outside(out_outside)
    );

    localparam BEATS  = N / LANES;
    localparam LANE_W = 8*((W+7)/8);
    localparam [LANE_W-1:0] LEAST = 1'b1 << (LANE_W - 1);

    // Beats taken of this vector, BEATS for too many; and their values, the newest on top.
    reg [7:0]          taken;
    reg [N*LANE_W-1:0] so_far;

    wire                take   = in_valid && in_ready;
    wire [N*LANE_W-1:0] vector = {in_data, so_far} >> (LANES*LANE_W);

    always @(posedge clk) begin
        if (rst)
            taken <= 0;
        else if (take)
            taken <= in_last ? 0 : taken == BEATS ? taken : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    wire [N-1:0] inside;

    genvar k;
    generate
        for (k = 0; k < N; k = k + 1) begin : g_feature
            wire [LANE_W-1:0] x    = vector[k*LANE_W +: LANE_W] - LEAST;
            wire [LANE_W-1:0] low  = LOW[32*k +: LANE_W] - LEAST;
            wire [LANE_W-1:0] high = HIGH[32*k +: LANE_W] - LEAST;

            assign inside[k] = x >= low && x <= high;
        end
    endgenerate

    stream_contract #(.W(1), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(in_last), .in_good(taken == BEATS - 1),
        .promised(!(&inside)),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload(out_outside)
    );

endmodule

`default_nettype wire
