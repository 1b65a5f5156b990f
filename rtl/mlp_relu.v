// SPDX-License-Identifier: MIT
// mlp_relu - negative values become zero
//
//     y = max(x, 0)
//
// Golden model   model/reference.py: relu
// Stream         LANES values a beat
// Latency        0 cycles: gates only

`default_nettype none

module mlp_relu #(
    parameter LANES = 1,                // values a beat, 1 or more
    parameter W     = 8                 // signed width
) (
    input  wire               in_valid,
    output wire               in_ready,
    input  wire               in_last,
    input  wire [LANES*W-1:0] in_x,

    output wire               out_valid,
    input  wire               out_ready,
    output wire               out_last,
    output wire [LANES*W-1:0] out_y
);

    assign out_valid = in_valid;
    assign in_ready  = out_ready;
    assign out_last  = in_last;

    function [LANES*W-1:0] all_relu(input [LANES*W-1:0] x);
        integer k;
        begin
            for (k = 0; k < LANES; k = k + 1)
                all_relu[k*W +: W] = x[k*W +: W] & {W{!x[k*W+W-1]}};
        end
    endfunction

    assign out_y = all_relu(in_x);

endmodule

`default_nettype wire
