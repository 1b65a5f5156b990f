// SPDX-License-Identifier: MIT
// mlp_learn_counts - how often something saturated, and how often a sample's class was wrong
//
//     count' = count + events, modulo 2^COUNT_W; 0 while clear
//
// Golden model   model/learning/backprop.py: Counts
// Latency        3 cycles from a master's event to its count, 1 from any other
//
// All masters of a word may saturate at once: those are added up in a cycle of their own.

`default_nettype none

module mlp_learn_counts #(
    parameter LANES   = 2,              // masters that move at once, beside a bias; 1 or more
    parameter COUNT_W = 32              // bits of a count, more than ceil(log2(LANES + 2))
) (
    input  wire               clk,
    input  wire               clear,

    input  wire               in_activation,
    input  wire               in_delta,
    input  wire [LANES:0]     in_masters,
    input  wire               in_wrong,

    output reg  [COUNT_W-1:0] activations,
    output reg  [COUNT_W-1:0] deltas,
    output reg  [COUNT_W-1:0] masters,
    output reg  [COUNT_W-1:0] wrong
);

    localparam SUM_W = $clog2(LANES + 2);

    function [SUM_W-1:0] ones(input [LANES:0] flags);
        integer k;
        begin
            ones = {SUM_W{1'b0}};
            for (k = 0; k <= LANES; k = k + 1)
                ones = ones + {{(SUM_W-1){1'b0}}, flags[k]};
        end
    endfunction

    reg [LANES:0]   flags;
    reg [SUM_W-1:0] several;

    always @(posedge clk)
        flags <= in_masters;

    // Rare: a simulator counts them only where there are any.
    always @(posedge clk) begin
        if (flags == {(LANES+1){1'b0}})
            several <= {SUM_W{1'b0}};
        else
            several <= ones(flags);
    end

    always @(posedge clk) begin
        if (clear) begin
            activations <= {COUNT_W{1'b0}};
            deltas      <= {COUNT_W{1'b0}};
            masters     <= {COUNT_W{1'b0}};
            wrong       <= {COUNT_W{1'b0}};
        end else begin
            activations <= activations + {{(COUNT_W-1){1'b0}}, in_activation};
            deltas      <= deltas + {{(COUNT_W-1){1'b0}}, in_delta};
            masters     <= masters + {{(COUNT_W-SUM_W){1'b0}}, several};
            wrong       <= wrong + {{(COUNT_W-1){1'b0}}, in_wrong};
        end
    end

endmodule

`default_nettype wire
