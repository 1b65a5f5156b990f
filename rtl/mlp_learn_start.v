// SPDX-License-Identifier: MIT
// mlp_learn_start - masters at random, one after the other
//
//     master = signed(lfsr after 16 steps more) >>> (range + 1); a bias is 0 and takes no step
//
// Golden model   model/learning/backprop.py: start
// Stream         out: masters; in_range and in_bias are of the master that is next
// Latency        17 cycles a weight, 1 a bias

`default_nettype none

module mlp_learn_start (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        en,              // masters are wanted
    input  wire        in_bias,
    input  wire [3:0]  in_range,        // uniform in +-2^-range
    input  wire [15:0] lfsr,
    output wire        lfsr_step,

    output wire        out_valid,       // taken where it is offered
    output wire [15:0] out_master
);

    reg [4:0] steps;                    // of the 16 that this weight needs

    assign lfsr_step = en && !in_bias && !steps[4];
    assign out_valid = en && (in_bias || steps[4]);

    always @(posedge clk) begin
        if (rst || out_valid)
            steps <= 5'd0;
        else if (lfsr_step)
            steps <= steps + 5'd1;
    end

    wire signed [15:0] half    = $signed({lfsr[15], lfsr[15:1]});
    wire signed [15:0] shifted = half >>> in_range;

    assign out_master = in_bias ? 16'd0 : $unsigned(shifted);

    wire unused = &{1'b0, lfsr[0]};

endmodule

`default_nettype wire
