// SPDX-License-Identifier: MIT
// mlp_power_on - the reset of a board: at power-on, and while a button is held
//
// Golden model   none: tb/benches/board_bench.py begins behind it
// Latency        rst falls 16 cycles after power-on or after the button, of any phase to clk
//
// It relies on how an FPGA starts, with the initial value of every flip-flop; so do mlp_load and
// mlp_link_id, and nothing else.

`default_nettype none

module mlp_power_on (
    input  wire clk,
    input  wire button,                 // high while it is held
    output wire rst                     // synchronous, active high
);

    reg [1:0] held;
    reg [4:0] count;

    assign rst = !count[4];

    initial begin
        held  = 2'b00;
        count = 5'd0;
    end

    always @(posedge clk)
        held <= {held[0], button};

    always @(posedge clk) begin
        if (held[1])
            count <= 5'd0;
        else if (rst)
            count <= count + 5'd1;
    end

endmodule

`default_nettype wire
