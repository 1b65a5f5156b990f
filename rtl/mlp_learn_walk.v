// SPDX-License-Identifier: MIT
// mlp_learn_walk - goes through all masters: set by set, row by row, the bias behind its row
//
//     a master is lane `lane` of word `word`, or the bias of row `row`
//
// Golden model   model/learning/backprop.py: digest
// Latency        1 cycle from a step to the next master; one more for each layer passed over

`default_nettype none

module mlp_learn_walk #(
    parameter N_LAYERS                  = 2,        // linear layers, 1 .. 16
    parameter [32*(N_LAYERS+1)-1:0] N   = 96'h00000003_00000006_00000004,   // inputs, then outputs
    parameter [32*N_LAYERS-1:0]     SET = 64'h00000001_00000000,    // weight set of each layer
    parameter LANES                     = 2,        // masters of a word
    parameter LAYER_W                   = 1,        // bits of a layer's number
    parameter ADDR_W                    = 5         // of each address
) (
    input  wire                                       clk,
    input  wire                                       restart,
    input  wire                                       step,     // only when here
    output wire                                       here,     // this layer brings masters
    output wire                                       last,
    output reg  [LAYER_W-1:0]                         layer,
    output wire                                       bias,
    output reg  [ADDR_W-1:0]                          word,
    output reg  [ADDR_W-1:0]                          row,
    output reg  [(LANES > 1 ? $clog2(LANES) : 1)-1:0] lane
);

    localparam LANE_W = LANES > 1 ? $clog2(LANES) : 1;
    localparam integer TOP_LANE = LANES - 1;

    // The last layer that uses its weight set first.
    function integer last_fresh(input integer layers);
        integer l, k, is_first;
        begin
            last_fresh = 0;
            for (l = 0; l < layers; l = l + 1) begin
                is_first = 1;
                for (k = 0; k < l; k = k + 1)
                    if (SET[32*k +: 32] == SET[32*l +: 32])
                        is_first = 0;
                if (is_first == 1)
                    last_fresh = l;
            end
        end
    endfunction

    localparam integer FINAL = last_fresh(N_LAYERS);

    reg  [ADDR_W-1:0] n, col;
    wire [ADDR_W-1:0] cols, last_row;
    wire [ADDR_W-1:0] group_unused, word_unused, row_unused, x_unused, d_unused;
    wire              brief_unused;

    mlp_learn_layers #(
        .N_LAYERS(N_LAYERS), .N(N), .SET(SET), .LANES(LANES), .LAYER_W(LAYER_W), .ADDR_W(ADDR_W)
    ) u_layers (
        .layer(layer), .cols(cols), .last_row(last_row), .last_group(group_unused),
        .word_base(word_unused), .row_base(row_unused), .x_base(x_unused), .d_base(d_unused),
        .brief(brief_unused), .fresh(here)
    );

    wire ends_word = lane == TOP_LANE[LANE_W-1:0] || col + 1'b1 == cols;
    wire ends_set  = bias && n == last_row;

    assign bias = col == cols;
    assign last = ends_set && layer == FINAL[LAYER_W-1:0];

    always @(posedge clk) begin
        if (restart) begin
            word <= {ADDR_W{1'b0}};
            row  <= {ADDR_W{1'b0}};
        end else if (step && bias)
            row  <= row + 1'b1;
        else if (step && ends_word)
            word <= word + 1'b1;
    end

    always @(posedge clk) begin
        if (restart || (step && bias)) begin
            col  <= {ADDR_W{1'b0}};
            lane <= {LANE_W{1'b0}};
        end else if (step) begin
            col  <= col + 1'b1;
            lane <= ends_word ? {LANE_W{1'b0}} : lane + 1'b1;
        end
    end

    always @(posedge clk) begin
        if (restart) begin
            layer <= {LAYER_W{1'b0}};
            n     <= {ADDR_W{1'b0}};
        end else if (!here || (step && ends_set)) begin
            layer <= layer + 1'b1;
            n     <= {ADDR_W{1'b0}};
        end else if (step && bias)
            n <= n + 1'b1;
    end

endmodule

`default_nettype wire
