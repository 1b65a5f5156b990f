// SPDX-License-Identifier: MIT
// learn_dither_properties - mlp_learn_dither drops and keeps bits by its formula, for every word

`default_nettype none

module learn_dither_properties #(
    parameter DROP_MIN = 6,
    parameter DROP_MAX = 11
) (
    input wire        clk,
    input wire [3:0]  above,
    input wire [2:0]  halvings,
    input wire [15:0] lfsr
);

    wire [DROP_MAX-1:0] dither;
    wire [(DROP_MAX > DROP_MIN ? $clog2(DROP_MAX-DROP_MIN+1) : 1)-1:0] drop;

    mlp_learn_dither #(.DROP_MIN(DROP_MIN), .DROP_MAX(DROP_MAX)) u_dut (
        .clk(clk), .above(above), .halvings(halvings), .lfsr(lfsr), .dither(dither), .drop(drop)
    );

    wire [4:0]  more = above + halvings;
    reg  [4:0]  more_1, more_2;
    reg  [16:0] lfsr_1;
    reg  [1:0]  cycles = 2'd0;

    always @(posedge clk) begin
        cycles <= cycles == 2'd2 ? cycles : cycles + 2'd1;
        {more_2, more_1, lfsr_1} <= {more_1, more, 1'b0, lfsr};
        assume (more <= DROP_MAX - DROP_MIN);
        if (cycles == 2'd2) begin
            drops_its_formula: assert (drop == more_2);
            equals_its_formula: assert (dither == lfsr_1 % (17'd1 << (DROP_MIN + more_2)));
        end
    end

endmodule

`default_nettype wire
