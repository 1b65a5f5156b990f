// SPDX-License-Identifier: MIT
// mlp_learn_backward - sums that leave the lanes one by one to deltas of the layer below
//
//     d = relu && y == 0 ? 0 : clamp(rne(sum / 2^6))
//
// Golden model   model/learning/backprop.py: backward
// Latency        3 cycles from in_load to the first delta, then one a cycle
//
// in_count lanes are of use: those above belong to no output.

`default_nettype none

module mlp_learn_backward #(
    parameter LANES = 2,                // sums at once, 1 or more
    parameter SUM_W = 28                // signed sum width, 22 or more
) (
    input  wire                       clk,
    input  wire                       rst,      // synchronous, active high

    input  wire                       in_load,  // the lanes' sums are taken into the drain
    input  wire [$clog2(LANES+1)-1:0] in_count,
    input  wire                       in_relu,  // a ReLU made the outputs
    input  wire [LANES*8-1:0]         in_y,     // these, 3 cycles before in_load
    input  wire [SUM_W-1:0]           in_sum,   // the drain's first, from the cycle after in_load

    output wire                       out_valid,
    output wire [15:0]                out_d,
    output wire                       out_clamps    // a delta saturated, a cycle before it leaves
);

    localparam COUNT_W = $clog2(LANES + 1);

    reg [COUNT_W-1:0] count;            // sums that are still to come
    reg [LANES-1:0]   zero;
    reg               relu;
    wire [LANES-1:0]  is_zero, zero_then;

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_zero
            assign is_zero[k] = in_y[k*8 +: 8] == 8'd0;
        end
    endgenerate

    mlp_delay #(.W(LANES), .CYCLES(3)) u_zero (
        .clk(clk), .rst(1'b0), .en(1'b1), .in_data(is_zero), .out_data(zero_then)
    );

    always @(posedge clk) begin
        if (rst)
            count <= {COUNT_W{1'b0}};
        else if (in_load)
            count <= in_count;
        else if (count != {COUNT_W{1'b0}})
            count <= count - 1'b1;
    end

    always @(posedge clk) begin
        zero <= in_load ? zero_then : zero >> 1;
        if (in_load)
            relu <= in_relu;
    end

    wire [SUM_W-1:0] masked;
    wire             there = count != {COUNT_W{1'b0}};
    wire             ready_unused, last_unused;

    mlp_learn_mask #(.W(SUM_W)) u_mask (
        .in_relu(relu), .in_zero(zero[0]), .in_d(in_sum), .out_d(masked)
    );

    mlp_requantize #(.LANES(1), .ACC_W(SUM_W), .OUT_W(16), .SHIFT(6)) u_requantize (
        .clk(clk), .rst(rst),
        .in_valid(there), .in_ready(ready_unused), .in_last(1'b0),
        .in_acc(masked),
        .out_valid(out_valid), .out_ready(1'b1), .out_last(last_unused), .out_y(out_d)
    );

    mlp_learn_clamps #(.ACC_W(SUM_W), .OUT_W(16), .SHIFT(6)) u_clamps (
        .clk(clk), .in_valid(there), .in_acc(masked), .out_clamps(out_clamps)
    );

endmodule

`default_nettype wire
