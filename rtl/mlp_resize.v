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

    localparam KEPT = X_W < Y_W ? X_W : Y_W;

    wire unused = &{1'b0, in_x};

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            assign out_y[k*Y_W +: Y_W] = {{(Y_W-KEPT){in_x[k*X_W + X_W-1]}}, in_x[k*X_W +: KEPT]};
        end
    endgenerate

endmodule

`default_nettype wire
