// SPDX-License-Identifier: MIT
// relu_properties - mlp_relu passes its stream through, each value as max(x, 0), for every input

`default_nettype none

module relu_properties #(
    parameter LANES = 2,
    parameter W     = 8
) (
    input wire               clk,           // the solver's: the module has none
    input wire               in_valid,
    input wire               in_last,
    input wire [LANES*W-1:0] in_x,
    input wire               out_ready
);

    wire               in_ready;
    wire               out_valid;
    wire               out_last;
    wire [LANES*W-1:0] out_y;

    mlp_relu #(.LANES(LANES), .W(W)) u_dut (
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_y(out_y)
    );

    reg [LANES*W-1:0] expected;
    integer k, x;

    always @*
        for (k = 0; k < LANES; k = k + 1) begin
            x = $signed(in_x[k*W +: W]);
            expected[k*W +: W] = x > 0 ? x : 0;
        end

    always @(posedge clk)
        equals_its_formula: assert (
            {in_ready, out_valid, out_last, out_y} == {out_ready, in_valid, in_last, expected});

endmodule

`default_nettype wire
