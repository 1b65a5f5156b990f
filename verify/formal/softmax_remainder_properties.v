// SPDX-License-Identifier: MIT
// softmax_remainder_properties - mlp_softmax_remainder keeps the contract of streams
//
//     losers as they are, the rest to the winner

`default_nettype none

module softmax_remainder_properties #(
    parameter N        = 3,
    parameter LANES    = 1,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire                 clk,
    input wire                 rst,
    input wire                 in_valid,
    input wire                 in_last,
    input wire [LANES*8-1:0]   in_quotients,
    input wire [$clog2(N)-1:0] in_class,
    input wire                 out_ready
);

    wire                 in_ready;
    wire                 out_valid;
    wire [$clog2(N)-1:0] out_class;
    wire [N*8-1:0]       out_p;

    mlp_softmax_remainder #(.N(N), .LANES(LANES)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_quotients(in_quotients),
        .in_class(in_class),
        .out_valid(out_valid), .out_ready(out_ready), .out_class(out_class), .out_p(out_p)
    );

    localparam BEATS   = N / LANES;
    localparam CLASS_W = $clog2(N);

    // Users end each vector where it ends.
    reg [7:0]         taken;
    reg [N*8-1:0]     so_far;
    reg [CLASS_W-1:0] winner;

    wire           take   = in_valid && in_ready;
    wire [N*8-1:0] vector = {in_quotients, so_far} >> (LANES*8);

    always @(posedge clk) begin
        if (in_valid)
            assume (in_last == (taken == BEATS - 1));
        if (in_valid)
            assume (in_class < N && (taken == 0 || in_class == winner));
        if (take)
            winner <= in_class;
        if (rst)
            taken <= 0;
        else if (take)
            taken <= in_last ? 0 : taken + 1'b1;
        if (take)
            so_far <= vector;
    end

    reg [N*8-1:0] settled;
    reg [7:0]     rest;
    integer k;

    always @* begin
        rest = 255;
        for (k = 0; k < N; k = k + 1)
            if (k != in_class)
                rest = rest - vector[k*8 +: 8];
        settled = vector;
        settled[in_class*8 +: 8] = rest;
    end

    stream_contract #(
        .W(CLASS_W + N*8), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(taken == 0), .in_last(in_last), .in_good(1'b1), .promised({in_class, settled}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_class, out_p})
    );

endmodule

`default_nettype wire
