// SPDX-License-Identifier: MIT
// mlp_resize - signed values in wider or narrower lanes
//
//     y = x, in two's complement; what does not fit loses its upper bits
//
// Golden model   model/words.py: pack_lanes
// Latency        0 cycles: gates only

`default_nettype none

module mlp_resize #(
    parameter LANES = 1,                // values, 1 or more
    parameter X_W   = 8,                // signed width that enters, 1 or more
    parameter Y_W   = 8                 // signed width that leaves, 1 or more
) (
    input  wire [LANES*X_W-1:0] in_x,
    output wire [LANES*Y_W-1:0] out_y
);

    function [LANES*Y_W-1:0] all_resized(input [LANES*X_W-1:0] x);
        integer k, b;
        begin
            for (k = 0; k < LANES; k = k + 1)
                for (b = 0; b < Y_W; b = b + 1)
                    all_resized[k*Y_W + b] = x[k*X_W + (b < X_W ? b : X_W-1)];
        end
    endfunction

    assign out_y = all_resized(in_x);

endmodule

`default_nettype wire
